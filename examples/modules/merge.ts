// One answer from several upstreams; what fails is null. UPSTREAMS is a list of URLs, apart by spaces.
export async function requestHandler(ctx: Context): Promise<void> {
  const urls: string[] = ctx.env.UPSTREAMS.split(" ");
  const answers = await Promise.allSettled(
    urls.map(async (url) => {
      const response = await fetch(url, { timeout: 2000 });
      if (!response.ok) throw new Error(`${url}: ${response.status}`);
      return response.json();
    }),
  );
  ctx.response().json(answers.map((answer) => (answer.status === "fulfilled" ? answer.value : null)));
}
