// Lets in whoever has a valid token; the upstream sees who it is, and not the token.
import { verify } from "dgate/jwt";
import { getSecret } from "dgate/secrets";

export async function requestModifier(ctx: Context): Promise<void> {
  const { headers } = ctx.request();
  const token = headers.get("authorization")?.replace(/^Bearer /, "");
  const key = await getSecret("jwt");
  if (key === null) throw new Error("there is no secret `jwt`");
  try {
    const claims = verify(token ?? "", key, { alg: "HS256", iss: "https://login.example" });
    headers.set("x-user", claims.sub);
    headers.delete("authorization");
  } catch {
    ctx.response().status(401).json({ error: "a valid token is needed" });
  }
}
