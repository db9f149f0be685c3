// POST /?url=…  makes a short link, GET /:id follows it.
import { createHash } from "dgate/crypto";
import { addDocument, getDocument } from "dgate/state";

export async function requestHandler(ctx: Context): Promise<void> {
  const { method } = ctx.request();
  const response = ctx.response();
  if (method === "GET") {
    const link = await getDocument(ctx.pathParam("id") ?? "", "links");
    if (link === null) response.status(404).json({ error: "no such link" });
    else response.redirect(link.data.url);
    return;
  }
  const url = ctx.query().get("url");
  if (url === null || !URL.canParse(url)) {
    response.status(400).json({ error: "`url` is missing, or is no URL" });
    return;
  }
  const id: string = createHash("sha256").update(url).digest("base64rawurl").slice(0, 8);
  await addDocument({ id, collection: "links", data: { url } });
  response.status(201).json({ id });
}
