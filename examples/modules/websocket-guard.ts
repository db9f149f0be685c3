// Lets WebSockets in only from pages of one's own, and only with a subprotocol that the upstream speaks.
export function requestModifier(ctx: Context): void {
  const { headers } = ctx.request();
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") return;
  const origins = ctx.env.ORIGINS.split(" ");
  if (!origins.includes(headers.get("origin") ?? "")) {
    ctx.response().status(403).end("this page may not connect");
    return;
  }
  const offered = (headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  const spoken = offered.filter((name) => name === ctx.env.PROTOCOL);
  if (spoken.length === 0) ctx.response().status(400).end(`the subprotocol is ${ctx.env.PROTOCOL}`);
  else headers.set("sec-websocket-protocol", spoken[0]);
}

export function responseModifier(ctx: ResponseContext): void {
  ctx.upstream().headers.set("x-guarded", "yes");
}
