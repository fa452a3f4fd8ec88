import { postJSON } from "../api/client";
import { basePath } from "../basePath";

/** Where a browser goes to log in, and come back to an address afterwards. */
export function loginAddress(returnTo: string): string {
  return `${basePath}api/auth/oidc/login?${new URLSearchParams({ return_to: returnTo })}`;
}

export async function logOut(): Promise<void> {
  await postJSON("api/auth/oidc/logout", {});
}

const reasons: Partial<Record<string, string>> = {
  unavailable:
    "The identity provider does not answer, so that nobody can log in now. Those who are logged in stay so. " +
    "Try again in a minute; if that does not help, tell whoever operates this server.",
  busy: "Many log in just now. Log in again in a minute.",
  unauthenticated:
    "The identity provider has not let you in. Log in again, perhaps as somebody else.",
  forbidden:
    "The identity provider tells no verified e-mail address of you, without which nobody is known here. " +
    "Ask whoever looks after your account there.",
  too_large:
    "You are in more groups than fit into the cookie of a login. Ask whoever operates the identity provider " +
    "to tell this server fewer of them.",
  invalid:
    "This login took longer than 10 minutes, or was begun in another browser or at another address. Log in again.",
};

/** Why a login failed, in words, by what the server says of it. */
export function loginProblem(reason: string): string {
  return (
    reasons[reason] ??
    "The identity provider's answer cannot be accepted. Tell whoever operates this server: its log says why."
  );
}
