import { ctx, documents, expect, test } from "dgate/test";
import { requestHandler } from "./url-shortener";

test("makes links and follows them", async () => {
  const made = ctx({ method: "POST", path: "/", query: { url: "https://dgate.example/docs" } });
  await requestHandler(made);
  expect(made.result.status).toBe(201);
  const { id } = JSON.parse(made.result.body);
  expect((await documents.getDocument(id, "links"))?.data).toEqual({ url: "https://dgate.example/docs" });

  const followed = ctx({ path: `/${id}`, params: { id } });
  await requestHandler(followed);
  expect(followed.result.status).toBe(307);
  expect(followed.result.headers.get("location")).toBe("https://dgate.example/docs");
});

test("refuses what is no URL", async () => {
  for (const query of ["", "url=nothing"]) {
    const made = ctx({ method: "POST", query });
    await requestHandler(made);
    expect(made.result.status).toBe(400);
  }
});

test("knows what it does not know", async () => {
  const request = ctx({ path: "/none", params: { id: "none" } });
  await requestHandler(request);
  expect(request.result.status).toBe(404);
});
