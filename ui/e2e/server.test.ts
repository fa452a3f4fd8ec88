/** What the page and its server have to do with each other beside the API's answers. */

import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Telemetry } from "../src/api/types";
import { complaints, launch } from "./browser";
import { importAndServe, type Served } from "./tasktide";

const name = "variants-of-sixty-samples";

let browser: Browser;
let context: BrowserContext;
let page: Page;
let heard: string[];

beforeAll(async () => {
  browser = await launch();
});

afterAll(() => browser.close());

beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  page = await context.newPage();
  heard = complaints(page);
});

afterEach(async () => {
  await context.close();
  expect(heard).toEqual([]);
});

async function drawn() {
  await page.locator(".js-plotly-plot path.js-line").first().waitFor();
}

describe("how a page is used", () => {
  let served: Served;

  beforeAll(async () => {
    served = await importAndServe(name);
  });

  afterAll(() => served.close());

  async function told(): Promise<Telemetry> {
    return (await (await fetch(`${served.url}/api/v2/telemetry`)).json()) as Telemetry;
  }

  /** By its loopback name the browser tells where a request is from; by another one over HTTP it does not. */
  it.each(["127.0.0.1", "tasktide.test"])("is told to %s when it is left", async (host) => {
    const before = await told();
    const own = await launch("--host-resolver-rules=MAP tasktide.test 127.0.0.1");
    const visiting = await own.newPage();
    await visiting.goto(
      `${served.url.replace("127.0.0.1", host)}/workflows/${served.workflowId}?range=all&mute=align`,
    );
    await visiting.locator(".js-plotly-plot path.js-line").first().waitFor();
    await visiting.getByRole("button", { name: "CSV" }).click();
    await Promise.all([
      visiting.waitForEvent("download"),
      visiting.getByRole("menuitem", { name: "What is on screen" }).click(),
    ]);
    await visiting.goto("about:blank");
    await expect.poll(async () => (await told()).visits).toBe(before.visits + 1);
    await own.close();
    const after = await told();
    expect(after.render_ms.count).toBeGreaterThan(before.render_ms.count);
    expect(after.render_ms.p99).toBeLessThan(10_000);
    expect(after.filters_median).toBe(2);
    expect(after.exports.csv.count).toBe(before.exports.csv.count + 1);
    expect(after.exports.png.count).toBe(0);
  });

  it("is shown on the page of the server's health", async () => {
    await page.goto(served.url);
    await page.getByRole("link", { name: "Health" }).click();
    const use = page.getByRole("region", { name: "Use of this page" });
    await use.waitFor();
    expect(await use.textContent()).toContain("Visits that looked at a chart");
  });
});

/** A proxy that shows a server below a path, which it passes on or takes away. */
async function proxyOf(served: Served, base: string, passesOn: boolean): Promise<[Server, string]> {
  const proxy = createServer((incoming, answer) => {
    const path = incoming.url ?? "";
    if (!path.startsWith(base)) {
      answer.writeHead(404).end();
      return;
    }
    const { method, headers } = incoming;
    const outgoing = request(
      `${served.url}${passesOn ? path : path.slice(base.length - 1)}`,
      { method, headers },
      (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        got.pipe(answer);
      },
    );
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return [proxy, `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${base}`];
}

describe("below a path of a proxy", () => {
  let served: Served;

  beforeAll(async () => {
    served = await importAndServe(name, "--base-path", "/tools/tasktide/");
  });

  afterAll(() => served.close());

  it.each([
    ["that it passes on", true],
    ["that it takes away", false],
  ])("%s, every page is there", async (_, passesOn) => {
    const [proxy, url] = await proxyOf(served, "/tools/tasktide/", passesOn);
    await page.goto(url);
    await page.getByRole("link", { name }).click();
    await drawn();
    expect(page.url()).toBe(`${url}workflows/${served.workflowId}`);
    await page.getByRole("button", { name: "24h" }).click();
    await page.reload();
    await page.getByRole("button", { name: "24h", pressed: true }).waitFor();
    await page.goBack();
    await page.getByRole("link", { name: "Health" }).click();
    await page.getByRole("region", { name: "Audit" }).waitFor();
    proxy.close();
    proxy.closeAllConnections();
  });

  it("is found from the root of the server, too", async () => {
    await page.goto(new URL("/", served.url).href);
    await page.getByRole("link", { name }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/tools/tasktide/");
  });
});
