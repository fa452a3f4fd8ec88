/** JobMon's session cookie by its published algorithm, written down once more than in the server. */

import { createHash, createHmac } from "node:crypto";

export const secret = "not for production";

/** The flags of a server whose users log in at a provider. */
export function sessionFlags(issuer: string, redirectUri: string): string[] {
  return [
    ...["--auth", "session", "--session-secret", secret],
    ...["--oidc-issuer", issuer, "--oidc-redirect-url", redirectUri],
    ...["--oidc-client-id", "tasktide", "--oidc-client-secret", secret],
    ...["--oidc-scopes", "openid,email,profile,groups"],
  ];
}

function signature(signed: string): string {
  const key = createHash("sha1").update(`itsdangerous.Signersigner${secret}`).digest();
  return createHmac("sha1", key).update(signed).digest("base64url");
}

/** The value of the cookie that somebody got from JobMon just now. */
export function signSession(name: string): string {
  const user = {
    ...{ sub: name, email: `${name}@example.org`, preferred_username: name, name },
    ...{ updated_at: 0, given_name: "", family_name: "", groups: ["ops"], nonce: "", at_hash: "" },
    ...{ sid: "", aud: "", exp: 0, iat: 0, iss: "" },
  };
  const seconds = Buffer.alloc(4);
  seconds.writeUInt32BE(Math.floor(Date.now() / 1000));
  const payload = Buffer.from(JSON.stringify({ user })).toString("base64");
  const signed = `${payload}.${seconds.toString("base64url")}`;
  return `${signed}.${signature(signed)}`;
}

/** What is in a cookie, and how many seconds ago it was signed; throws where it is not signed so. */
export function readSession(value: string): { user: Record<string, unknown>; age: number } {
  const [payload = "", time = "", signed = ""] = value.split(".");
  if (signed !== signature(`${payload}.${time}`)) throw new Error(`not signed: ${value}`);
  const { user } = JSON.parse(Buffer.from(payload, "base64").toString()) as {
    user: Record<string, unknown>;
  };
  return { user, age: Date.now() / 1000 - Buffer.from(time, "base64url").readUInt32BE() };
}
