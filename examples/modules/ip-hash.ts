// The same client, the same endpoint.
export function fetchUpstream(ctx: ServiceContext): string {
  const { urls } = ctx.service();
  let hash = 0;
  for (const character of ctx.request().remoteAddress) hash = (hash * 31 + character.charCodeAt(0)) >>> 0;
  return urls[hash % urls.length];
}
