/** From a click on the page to the statements in the database: one trace, as OpenTelemetry's own receiver has it. */

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { complaints, launch } from "./browser";
import { start, type Program } from "./program";
import { built, importAndServe, type Served } from "./tasktide";

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
}

interface Received {
  resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
}

let receiver: Program;
let served: Served;
let browser: Browser;
let page: Page;
let heard: string[] = [];

beforeAll(async () => {
  receiver = await start(
    built("otlp-receiver", "bin/otlp-receiver"),
    [],
    /http:\/\/127\.0\.0\.1:\d+/,
  );
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.said);
  vi.stubEnv("OTEL_BSP_SCHEDULE_DELAY", "100");
  [served, browser] = await Promise.all([importAndServe("traced"), launch()]);
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  heard = complaints(page);
});

afterAll(async () => {
  await browser.close();
  await served.close();
  await receiver.stop();
  expect(heard).toEqual([]);
});

function spansOf(traceId: string): Span[] {
  const lines = receiver.output().split("\n").slice(1, -1);
  return lines
    .map((line) => JSON.parse(line) as Received)
    .flatMap(({ resourceSpans }) => resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)
    .filter((span) => span.traceId === traceId);
}

it("a click, the server's span and the store's are of one trace", async () => {
  await page.goto(`${served.url}/workflows/${served.workflowId}?live=0`);
  await page.getByRole("application").waitFor();
  const [asked] = await Promise.all([
    page.waitForRequest(/task_concurrency/),
    page.getByRole("button", { name: "Zoom in (+)" }).click(),
  ]);
  const [, traceId, click] = asked.headers().traceparent.split("-");
  expect(traceId).toMatch(/^[0-9a-f]{32}$/);

  const route = "GET /api/v2/workflow/{workflow_id}/task_concurrency";
  await expect
    .poll(() => spansOf(traceId).map(({ name }) => name), { timeout: 20_000 })
    .toContain(route);
  const spans = spansOf(traceId);
  const within = (parent: string) => spans.filter(({ parentSpanId }) => parentSpanId === parent);
  const [server] = within(click);
  expect(server.name).toBe(route);
  const [store] = within(server.spanId).filter(({ name }) => name === "store read");
  expect(within(store.spanId).map(({ name }) => name)).toContain("SELECT");
});
