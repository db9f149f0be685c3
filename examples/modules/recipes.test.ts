import { sign } from "dgate/jwt";
import { ctx, expect, fakeTime, mockFetch, test } from "dgate/test";
import { requestHandler as merge } from "./merge";
import { requestModifier as enrich } from "./enrich";
import { responseModifier as rewrite } from "./rewrite";
import { fetchUpstream as byAddress } from "./ip-hash";
import { requestModifier as checkToken } from "./jwt-check";
import { errorHandler as errorPage } from "./error-page";
import { requestModifier as guard } from "./websocket-guard";
import worker from "./worker";

test("merges what comes, and leaves out what does not", async () => {
  mockFetch({ "http://a.example/x": { a: 1 }, "http://b.example/y": () => new Response("no", { status: 500 }) });
  const request = ctx({ env: { UPSTREAMS: "http://a.example/x http://b.example/y http://c.example/z" } });
  await merge(request);
  expect(JSON.parse(request.result.body)).toEqual([{ a: 1 }, null, null]);
});

test("enriches requests, and asks once a minute", async () => {
  const time = fakeTime();
  const { calls } = mockFetch({ "http://users.example/users/ann": { plan: "gold" } });
  for (let count = 0; count < 3; count++) {
    const request = ctx({ params: { id: "ann" }, env: { USERS: "http://users.example" } });
    await enrich(request);
    expect(request.request().headers.get("x-user-plan")).toBe("gold");
  }
  expect(calls).toHaveLength(1);
  time.restore();
});

test("takes a field out of JSON answers, and leaves others alone", async () => {
  const json = ctx({ upstream: { body: { a: 1, headers: { secret: "x" } } } });
  await rewrite(json);
  expect(await json.upstream().json()).toEqual({ a: 1 });
  const text = ctx({ upstream: { headers: { "content-type": "text/plain" }, body: "plain" } });
  await rewrite(text);
  expect(await text.upstream().text()).toBe("plain");
});

test("sends a client to the same endpoint", () => {
  const urls = ["http://one", "http://two", "http://three"];
  const chosen = [1, 2, 3].map(() => byAddress(ctx({ service: { urls } })));
  expect(new Set(chosen).size).toBe(1);
  expect(urls).toContain(chosen[0]);
});

test("lets in valid tokens only", async () => {
  const claims = { sub: "ann", iss: "https://login.example", exp: 4102444800 };
  const token = sign(claims, "only-for-tests", { alg: "HS256" });
  const good = ctx({ headers: { authorization: `Bearer ${token}` } });
  await checkToken(good);
  expect(good.result.answered).toBe(false);
  expect(good.request().headers.get("x-user")).toBe("ann");
  expect(good.request().headers.has("authorization")).toBe(false);
  for (const authorization of ["", "Bearer x", `Bearer ${sign(claims, "another key")}`, `Bearer ${token}x`]) {
    const bad = ctx({ headers: { authorization } });
    await checkToken(bad);
    expect(bad.result.status).toBe(401);
  }
});

test("shows an error page", () => {
  const request = ctx();
  errorPage(request, Object.assign(new Error("gone"), { code: "upstream_timeout", status: 504 }));
  expect(request.result.headers.get("content-type")).toMatch(/^text\/html/);
  expect(request.result.body).toContain("upstream_timeout");
});

test("guards WebSockets", () => {
  const env = { ORIGINS: "https://app.example", PROTOCOL: "chat.v1" };
  const handshake = (origin: string, protocol: string) => {
    const headers = { upgrade: "websocket", origin, "sec-websocket-protocol": protocol };
    const request = ctx({ headers, env });
    guard(request);
    return request;
  };
  const good = handshake("https://app.example", "other, chat.v1");
  expect(good.result.answered).toBe(false);
  expect(good.request().headers.get("sec-websocket-protocol")).toBe("chat.v1");
  expect(handshake("https://evil.example", "chat.v1").result.status).toBe(403);
  expect(handshake("https://app.example", "other").result.status).toBe(400);
  const plain = ctx({ env });
  guard(plain);
  expect(plain.result.answered).toBe(false);
});

test("answers like a worker", async () => {
  const request = new Request("http://a/x", { method: "POST", body: "hi" });
  const answer = await worker.fetch(request, {});
  expect(await answer.json()).toEqual({ echo: "hi", pathname: "/x" });
});
