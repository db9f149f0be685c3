// Adds what another service knows about a user to the request. Answers are kept for a minute.
import { getCache, setCache } from "dgate/storage";

export async function requestModifier(ctx: Context): Promise<void> {
  const user = ctx.pathParam("id") ?? "";
  let plan = getCache(`plan:${user}`);
  if (plan === null) {
    const response = await fetch(`${ctx.env.USERS}/users/${encodeURIComponent(user)}`);
    plan = response.ok ? (await response.json()).plan : "unknown";
    setCache(`plan:${user}`, plan, { ttl: "1m" });
  }
  ctx.request().headers.set("x-user-plan", plan);
}
