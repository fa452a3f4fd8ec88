/** Every page, as it looks in both themes, under the rules of axe. */

import axe, { type AxeResults } from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { launch } from "./browser";
import { sessionFlags, signSession } from "./session";
import { importAndServe, type Served } from "./tasktide";

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const patience = { timeout: 20_000 };

let served: Served;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  [served, browser] = await Promise.all([importAndServe("nightly"), launch()]);
});

afterAll(async () => {
  await browser.close();
  await served.close();
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
});

afterEach(() => page.close());

/** What axe finds: the rule, how bad it is, and where. */
async function findings(): Promise<string[]> {
  const { violations } = await page.evaluate<AxeResults>(
    `axe.run({ runOnly: ${JSON.stringify(tags)}, resultTypes: ["violations"] })`,
  );
  return violations.flatMap(({ id, impact, help, nodes }) =>
    nodes
      .map(({ target }) => target.join(" "))
      // What opens over the page, and takes all of its keys, is in no part of it.
      .filter((target) => id !== "region" || !/Popover|listbox/.test(target))
      .map((target) => `${id}, ${impact}: ${help}: ${target}`),
  );
}

const drawn = () => page.locator(".js-plotly-plot path.js-line").first().waitFor();
const table = () => page.getByRole("table").first().getByRole("row").nth(1).waitFor();
const says = (text: string) => () => page.getByText(text).first().waitFor();

function opened(role: "button" | "combobox", name: string | RegExp) {
  return async () => {
    await drawn();
    await page.getByRole(role, { name }).click();
    await page
      .getByRole(role === "button" ? "menuitem" : "option")
      .first()
      .waitFor();
  };
}

async function pointed() {
  await drawn();
  await page.getByRole("application").focus();
  await page.keyboard.press("Home");
  await page.getByTestId("tooltip").waitFor();
}

const workflow = "workflows/1";

it.each<[what: string, path: string, ready: () => Promise<void>]>([
  ["the workflows", "", table],
  ["a search that finds none", "?search=nothing", says("No workflow")],
  ["the chart", workflow, drawn],
  ["a bucket's numbers", workflow, pointed],
  ["the chart as a table", `${workflow}?view=table`, table],
  ["the tasks of an instant", `${workflow}?at=2024-03-05T08:03:14Z`, table],
  ["the kinds of picture", workflow, opened("button", "PNG")],
  ["the themes", workflow, opened("button", /^Colours/)],
  ["the choice of templates", workflow, opened("combobox", "Template")],
  ["the choice of buckets", workflow, opened("combobox", "Bucket")],
  ["the templates", `${workflow}/templates`, table],
  ["the tasks", `${workflow}/tasks?status=D`, table],
  ["the audit", `${workflow}/audit`, table],
  ["a task", "tasks/1", table],
  ["the server's health", "health", says("Use of this page")],
  ["a workflow that does not exist", "workflows/999", says("There is no such workflow")],
  ["an unknown address", "nowhere", says("There is no such page")],
])("axe finds nothing in %s", async (_, path, ready) => {
  await page.goto(`${served.url}/${path}`);
  await ready();
  await findNothing(`/${path}`);
});

it("axe finds nothing in what has to do with a login", async () => {
  // The provider is asked only by a login.
  const nowhere = "http://127.0.0.1:1";
  const flags = sessionFlags(nowhere, `${nowhere}/api/auth/oidc/auth`);
  const guarded = await importAndServe("nightly", ...flags);
  await page.goto(`${guarded.url}/${workflow}`);
  await says("Log in to see this")();
  await findNothing("a workflow for nobody");
  await page.goto(`${guarded.url}/login?reason=unavailable`);
  await says("The identity provider does not answer")();
  await findNothing("a failed login");
  const value = signSession("ada");
  await page.context().addCookies([{ name: "session", value, url: guarded.url }]);
  await page.goto(`${guarded.url}/${workflow}`);
  await drawn();
  await page.getByRole("button", { name: "Logged in as ada" }).click();
  await says("ada@example.org")();
  await findNothing("the user menu");
  await guarded.close();
});

async function findNothing(where: string) {
  // The server's CSP refuses a script in the page.
  await page.evaluate(axe.source);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    // Colours that still change are of neither theme.
    await expect.poll(() => page.evaluate(settled), patience).toEqual([colorScheme, 0]);
    expect(await findings(), `${where} in the ${colorScheme} theme`).toEqual([]);
  }
}

/** The theme that is shown, and what moves. */
function settled(): [string, number] {
  const { colorScheme } = getComputedStyle(document.documentElement);
  return [colorScheme, document.getAnimations().length];
}
