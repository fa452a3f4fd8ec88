/** A login from end to end: the page, the server and an OpenID Connect provider, each a process. */

import { resolve } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch } from "./browser";
import { freePort, start, type Program } from "./program";
import { readSession, sessionFlags, signSession } from "./session";
import { importAndServe, type Served } from "./tasktide";

const name = "behind-a-login";

let browser: Browser;
let provider: Program;
let served: Served;

beforeAll(async () => {
  // Each must know the other's address before it starts.
  const port = await freePort();
  const redirectUri = `http://127.0.0.1:${port}/tools/api/auth/oidc/auth`;
  provider = await start(
    process.execPath,
    [resolve(import.meta.dirname, "provider.mjs")],
    /ready at http:\/\/127\.0\.0\.1:\d+/,
    { REDIRECT_URI: redirectUri },
  );
  const issuer = provider.said.replace("ready at ", "");
  const flags = [...sessionFlags(issuer, redirectUri), "--base-path", "/tools/"];
  [browser, served] = await Promise.all([
    launch(),
    importAndServe(name, ...flags, "--listen", `127.0.0.1:${port}`),
  ]);
});

afterAll(async () => {
  await browser.close();
  await served.close();
  await provider.stop();
});

const link = () => `${served.url}/tools/workflows/${served.workflowId}?range=all&mute=align`;
const drawn = (page: Page) => page.locator(".js-plotly-plot path.js-line").first().waitFor();
const logIn = (page: Page) => page.getByRole("main").getByRole("link", { name: "Log in" });

async function sessionOf(context: BrowserContext) {
  return (await context.cookies()).find((cookie) => cookie.name === "session");
}

/** Fills in the provider's own pages. */
async function answerProvider(page: Page) {
  await page.getByPlaceholder("Enter any login").fill("ada");
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}

/** A browser that comes with a cookie of JobMon's. */
async function loggedIn(): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await context.addCookies([{ name: "session", value: signSession("ada"), url: served.url }]);
  return context;
}

it("leads from a link to the provider, back to the link, and out again", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  // The provider's pages ask another site for a typeface.
  await context.route(/^https:/, (route) => route.abort());
  const page = await context.newPage();
  await page.goto(link());
  await page.getByRole("heading", { name: "Log in to see this" }).waitFor();
  expect(page.url()).toBe(link());
  expect(await page.getByRole("button", { name: /^Logged in as/ }).count()).toBe(0);

  await logIn(page).click();
  await answerProvider(page);
  await drawn(page);
  expect(page.url()).toBe(link());
  const cookie = await sessionOf(context);
  expect(cookie).toMatchObject({ path: "/", httpOnly: true, secure: false, sameSite: "Lax" });
  const { user, age } = readSession(cookie?.value ?? "");
  expect(age).toBeLessThan(60);
  expect(user).toMatchObject({ sub: "ada", email: "ada@example.org", groups: ["analysts", "ops"] });
  expect(Object.keys(user)).toHaveLength(15);

  const asked = page.waitForRequest(/\/api\/v2\/workflows/);
  await page.getByRole("link", { name: "Workflows" }).click();
  expect((await (await asked).allHeaders()).cookie).toContain(`session=${cookie?.value ?? ""}`);
  await page.getByRole("link", { name }).waitFor();
  await page.goBack();
  await drawn(page);

  await page.getByRole("button", { name: "Logged in as Ada Lovelace" }).press("Enter");
  const menu = page.getByRole("dialog", { name: "Ada Lovelace" });
  await menu.getByText("ada@example.org").waitFor();
  await menu.getByText("analysts, ops").waitFor();
  await menu.getByRole("button", { name: "Log out" }).press("Enter");
  await page.getByRole("heading", { name: "Log in to see this" }).waitFor();
  expect(page.url()).toBe(link());
  expect(await sessionOf(context)).toBeUndefined();
  expect(await page.locator(".js-plotly-plot").count()).toBe(0);
  await context.close();
});

it("says when it has ended, and keeps what is drawn", async () => {
  const context = await loggedIn();
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(`${served.url}/tools/`);
  await page.getByRole("link", { name }).waitFor();
  await context.clearCookies();
  await page.clock.fastForward(60_000);
  await page.getByText("Your login has ended.").waitFor();
  await logIn(page).waitFor();
  expect(await page.getByRole("link", { name }).count()).toBe(1);
  await page.getByRole("button", { name: "Logged in as ada" }).waitFor({ state: "detached" });
  await context.close();
});

// The last: it ends the provider.
it("says so where the provider is down, and those who are logged in stay in", async () => {
  await provider.stop();
  const anonymous = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await anonymous.newPage();
  await page.goto(link());
  await logIn(page).click();
  await page.getByText("The identity provider does not answer").waitFor();
  // What it was about is not forgotten.
  const again = new URL((await logIn(page).getAttribute("href")) ?? "", served.url);
  expect(again.searchParams.get("return_to")).toBe(link());
  await anonymous.close();

  const context = await loggedIn();
  const inside = await context.newPage();
  await inside.goto(link());
  await drawn(inside);
  await context.close();
});
