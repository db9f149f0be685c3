// The same in the script dialect: no imports, a `ctx` with plain properties.
function requestHandler(ctx) {
  if (ctx.request.method === "GET") {
    const link = ctx.getDocument("links", ctx.pathParam("id"));
    if (link === null) ctx.status(404).json({ error: "no such link" });
    else ctx.redirect(link.data.url, 307);
    return;
  }
  const url = ctx.queryParam("url");
  if (url === null) {
    ctx.status(400).json({ error: "`url` is missing" });
    return;
  }
  const id = ctx.hashString(url);
  ctx.setDocument("links", id, { url });
  ctx.status(201).json({ id });
}
