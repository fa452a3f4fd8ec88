/**
 * Measures the built page in a browser, beside a chart of Plotly as it comes on the same numbers, and
 * writes docs/benchmarks-page.md. "make bench-ui" runs it.
 */

import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Browser } from "playwright-core";
import { launch } from "../e2e/browser";
import { serve, store } from "../e2e/tasktide";
import type { ServerHealth, Telemetry, WorkflowList } from "../src/api/types";
import { columnsOf } from "./columns";
import type { Frames } from "./gestures";
import { pageOf, type Measured } from "./page";
import { serveUntuned } from "./untuned";
import * as visits from "./visits";

const usualPages = "5";
const { values: options } = parseArgs({
  options: {
    database: { type: "string" },
    pages: { type: "string", default: usualPages },
    out: { type: "string", default: resolve(import.meta.dirname, "../../docs/benchmarks-page.md") },
  },
});
const pages = Number(options.pages);
const command =
  options.pages === usualPages ? "make bench-ui" : `cd ui && npm run bench -- --pages ${pages}`;
const begun = performance.now();

function tell(what: string) {
  console.log(`${((performance.now() - begun) / 1000).toFixed(0).padStart(5)} s  ${what}`);
}

async function answerOf<T>(address: string): Promise<T> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
  return (await answer.json()) as T;
}

/** Serves workload L up to now, out of a file that is kept if it was named, summed up. */
async function serveWorkload() {
  const folder = mkdtempSync(join(tmpdir(), "tasktide-bench-"));
  const file = options.database ?? join(folder, "l.db");
  if (!existsSync(file)) {
    tell("A million tasks of 30 days are being written, which takes a minute or two.");
    await store(file, "generate", "--size", "L", "--seed", "1");
  }
  // What is measured is the working out.
  const server = await serve(folder, file, "--cache-bytes", "0");
  const behind = async () =>
    (await answerOf<ServerHealth>(`${server.url}/api/v2/health`)).roll_up.marked_workflows;
  while ((await behind()) > 0) await sleep(1_000);
  return server;
}

function sizeOf(name: string, templates: number, buckets: number): visits.Size {
  const until = Date.parse("2026-01-31T00:00:00Z");
  const answer = columnsOf(templates, buckets, [until - buckets * 60_000, until]);
  return { name, templates, buckets, body: JSON.stringify(answer) };
}

/** As many bytes as a client gets that takes gzip. */
function gzipped(address: string): Promise<number> {
  return new Promise((done, failed) => {
    get(address, { headers: { "Accept-Encoding": "gzip" } }, (answer) => {
      let bytes = 0;
      answer.on("data", (chunk: Buffer) => (bytes += chunk.length));
      answer.on("end", () => done(bytes));
    }).on("error", failed);
  });
}

/** Does it in so many pages, and returns what each of them gave. */
async function times<T>(work: () => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (let i = 0; i < pages; i++) all.push(await work());
  return all;
}

async function measure(browser: Browser, url: string): Promise<Measured> {
  const { workflows } = await answerOf<WorkflowList>(`${url}/api/v2/workflows`);
  const lastTransition = workflows[0]?.last_transition_at ?? "";
  const sizes = [
    sizeOf("10,000", 14, 714),
    sizeOf("20,000", 14, 1_428),
    sizeOf("1,000,000", 50, 20_000),
  ];
  // The first page of a browser finds nothing warm, and tells how large a chart is.
  const { chart } = await visits.fromList(browser, url, sizes[0], false);
  const peer = await serveUntuned(new Map(sizes.map(({ name, body }) => [name, body])), chart);

  const told: Measured["charts"] = [];
  let telemetry: Telemetry | undefined;
  for (const size of sizes) {
    const moves = size.buckets > 1_000;
    const turns = await times(async () => ({
      ours: await visits.fromList(browser, url, size, moves),
      untuned: await visits.untuned(browser, peer.url(size.name), moves),
    }));
    const frames = (all: { frames: Frames | null }[]) => all.flatMap((one) => one.frames ?? []);
    told.push({
      size,
      paint: turns.map((turn) => turn.ours.paint),
      untunedPaint: turns.map((turn) => turn.untuned.paint),
      frames: frames(turns.map((turn) => turn.ours)),
      untunedFrames: frames(turns.map((turn) => turn.untuned)),
    });
    telemetry ??= await answerOf<Telemetry>(`${url}/api/v2/telemetry`);
    tell(`${size.name} numbers are measured.`);
  }
  peer.close();
  if (telemetry === undefined) throw new Error("nothing was measured");
  const loaded = await visits.scripts(browser, url);
  return {
    pages,
    browser: browser.version(),
    chart,
    charts: told,
    telemetry: telemetry.render_ms,
    byAddress: await times(() => visits.byAddress(browser, url, sizes[0])),
    interactive: await times(() => visits.interactive(browser, url)),
    script: await Promise.all(loaded.map(gzipped)),
    clicks: await times(() => visits.clicks(browser, url)),
    minutesOld: (Date.now() - Date.parse(lastTransition)) / 60_000,
  };
}

const server = await serveWorkload();
tell("Workload L is served.");
const browser = await launch();
try {
  const page = pageOf(await measure(browser, server.url), command);
  if (options.out === "-") console.log(page);
  else writeFileSync(options.out, page);
  tell("Done.");
} finally {
  await browser.close();
  await server.close();
}
