// A fetch-style worker.
export default {
  async fetch(request: Request, env: Record<string, string>): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (request.method === "POST") return Response.json({ echo: await request.text(), pathname });
    return new Response(`${env.GREETING ?? "hello"} from ${pathname}`);
  },
};
