//! `ctx.response().json(…)` writes what `JSON.stringify` writes, whichever way it takes.

use crate::kit::{get, handler};

const MODULE: &str = r#"
class Point { x = 1; toJSON() { return "a point"; } }
const shared = { deep: [1, [2, [3]]] };
const hidden = Object.defineProperty({ seen: 1 }, "unseen", { value: 2, enumerable: false });
const holes = [1, , 3]; holes[6] = 7;
const named: any = [1, 2]; named.extra = "x";
const said: any = [1]; said.toJSON = () => "an array";
let deep: any = 1; for (let i = 0; i < 60; i++) deep = { deep };
const values: any[] = [
  null, true, false, 0, -0, 1, -17, 2147483648, 1.5, -0.25, 1e21, 1e-7, NaN, Infinity, "", "plain",
  "quote \" slash \\ / bell \u0007 \b\f\n\r\t nul \u0000 del \u007f", "äöü é ÿ", "日本語 🎉", "\ud800 alone", "a\udc00",
  [], {}, [[]], [1, 2, 3], [1.5, 2], ["a", null, undefined, () => 1], holes, named, said,
  { a: 1, b: "two", c: [3, { d: null }], e: undefined, f: () => 1, g: Symbol("s"), [Symbol("k")]: 1 },
  { 10: "ten", 2: "two", b: 1, a: 2, "": 0, "quo\"te": 1, "é": 2, "日": 3 }, hidden, { get x() { return 42; } },
  new Point(), [new Point()], new Date(0), new Map([[1, 2]]), new Set([1]), new Number(3), new String("s"), Object(true),
  Object.create(null, { x: { value: 1, enumerable: true } }), Object.create({ inherited: 1 }), { shared, again: shared },
  new Uint8Array([1, 2]), /x/, new Error("no"), deep, { long: "x".repeat(70000), after: [1, 2] },
  { toJSON: () => ({ replaced: true }) }, Object.freeze({ x: [1] }), new URLSearchParams("a=1"),
];
export function requestHandler(ctx: any) {
  const id = ctx.pathParam("id");
  if (id === "count") return ctx.response().json(values.length);
  const value = values[+id];
  ctx.response().headers.set("x-hash", hash(JSON.stringify(value)));
  ctx.response().json(value);
}
import { sha256 } from "dgate/crypto";
function hash(text: string) { return sha256(text, "hex"); }
"#;

#[tokio::test]
async fn it_is_what_stringify_writes() {
    let gateway = handler(MODULE).await;
    let count: usize = get(&gateway, "/m/count").await.text().parse().unwrap();
    assert!(count > 50, "{count}");
    for index in 0..count {
        let answer = get(&gateway, &format!("/m/{index}")).await;
        assert_eq!(answer.status(), 200, "value {index}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/json");
        let text = answer.text();
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        let hash: Vec<String> = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(answer.header("x-hash"), hash.concat(), "value {index}: {text}");
    }
}

#[tokio::test]
async fn what_cannot_be_written_is_an_error() {
    for source in [
        "export function requestHandler(ctx) { const a = {}; a.a = [a]; ctx.response().json(a); }",
        "export function requestHandler(ctx) { ctx.response().json(undefined); }",
        "export function requestHandler(ctx) { ctx.response().json(() => 1); }",
        "export function requestHandler(ctx) { ctx.response().json({ get x() { throw new Error('no'); } }); }",
    ] {
        let gateway = handler(source).await;
        assert_eq!(get(&gateway, "/m/1").await.status(), 500, "{source}");
    }
}
