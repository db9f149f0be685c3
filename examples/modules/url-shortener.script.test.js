import { ctx, expect, test } from "dgate/test";
import { requestHandler } from "./url-shortener.script";

test("works alike in the script dialect", async () => {
  const made = ctx({ method: "POST", query: { url: "https://dgate.example/docs" } });
  await requestHandler(made.script());
  expect(made.result.status).toBe(201);
  const { id } = JSON.parse(made.result.body);
  const followed = ctx({ path: `/${id}`, params: { id } });
  await requestHandler(followed.script());
  expect([followed.result.status, followed.result.headers.get("location")]).toEqual([307, "https://dgate.example/docs"]);
  const lost = ctx({ params: { id: "none" } });
  await requestHandler(lost.script());
  expect(lost.result.status).toBe(404);
});
