// Takes a field out of JSON answers, and leaves others as they are.
export async function responseModifier(ctx: ResponseContext): Promise<void> {
  const upstream = ctx.upstream();
  if (!upstream.headers.get("content-type")?.startsWith("application/json")) return;
  const { headers: _, ...rest } = await upstream.json();
  upstream.writeJson(rest);
}
