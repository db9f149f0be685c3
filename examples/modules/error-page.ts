// An error page of your own.
export function errorHandler(ctx: Context, error: GatewayError): void {
  const response = ctx.response();
  response.headers.set("content-type", "text/html; charset=utf-8");
  response.send(`<h1>Sorry</h1><p>Something went wrong (${error.code}). Tell us this number: ${ctx.id}</p>`);
}
