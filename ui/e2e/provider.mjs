/* global process */
/** An OpenID Connect provider on loopback, whose pages let everybody in as whoever they say. */

import { createServer } from "node:http";
import Provider from "oidc-provider";

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "tasktide",
        client_secret: "not for production",
        redirect_uris: [process.env.REDIRECT_URI],
      },
    ],
    claims: { email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
    findAccount: (_, name) => ({
      accountId: name,
      claims: () => ({
        sub: name,
        name: `${name.charAt(0).toUpperCase()}${name.slice(1)} Lovelace`,
        email: `${name}@example.org`,
        email_verified: true,
        groups: ["ops", "app-mail", "analysts"],
      }),
    }),
    // A page of its own, which asks for a name and allows what is asked.
    features: { devInteractions: { enabled: true } },
  });
  server.on("request", provider.callback());
  process.stdout.write(`ready at ${issuer}\n`);
});
