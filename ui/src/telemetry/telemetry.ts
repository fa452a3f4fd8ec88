/**
 * What the page tells its own server of how it is used: how fast charts are drawn, how many filters
 * are active, which files are made. Counts of nobody in particular, and nothing where the server
 * does not listen.
 */

import type { TelemetryBatch } from "../api/types";
import { basePath } from "../basePath";

export type ExportKind = NonNullable<TelemetryBatch["exports"]>[number];

/** What is told is told this often at most, in milliseconds, but for when the page is left. */
export const tellEveryMs = 60_000;
/** The server's bounds. */
const maxEntries = 100;
const maxMs = 600_000;
const maxFilters = 50;

/** `send` hands over a batch and returns whether it was taken; what was not is kept for the next. */
export function createTelemetry(send: (batch: TelemetryBatch) => boolean) {
  let listens: boolean | null = null;
  let renders: number[] = [];
  let exports: ExportKind[] = [];
  let filtersNow: number | null = null;
  let filtersTold: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function soon() {
    timer ??= setTimeout(tell, tellEveryMs);
  }

  /** Tells what there is. The page does so when it is left. */
  function tell() {
    clearTimeout(timer);
    timer = undefined;
    if (listens !== true) return;
    const batch: TelemetryBatch = {
      ...(renders.length > 0 && { renders_ms: renders }),
      ...(exports.length > 0 && { exports }),
      ...(filtersNow !== null &&
        filtersNow !== filtersTold && {
          visit: {
            filters: filtersNow,
            ...(filtersTold !== null && { replaces: filtersTold }),
          },
        }),
    };
    if (Object.keys(batch).length === 0 || !send(batch)) return;
    renders = [];
    exports = [];
    filtersTold = filtersNow;
  }

  /** Whether the server wants to be told. Until it is known, what happens is kept. */
  function listen(yes: boolean) {
    listens = yes;
  }

  /** A chart is on screen so many milliseconds after its numbers came. */
  function rendered(ms: number) {
    if (listens === false || renders.length >= maxEntries) return;
    renders.push(Math.round(Math.min(maxMs, Math.max(0, ms))));
    soon();
  }

  /** So many filters are active now; the most at once are what is told of a visit. */
  function filters(n: number) {
    if (listens === false) return;
    filtersNow = Math.min(maxFilters, Math.max(filtersNow ?? 0, n));
    soon();
  }

  /** A file was made of a chart. */
  function exported(kind: ExportKind) {
    if (listens === false || exports.length >= maxEntries) return;
    exports.push(kind);
    soon();
  }

  return { listen, rendered, filters, exported, tell };
}

/** Text is what a browser sends to its page's own server without asking first. */
function beacon(batch: TelemetryBatch): boolean {
  return navigator.sendBeacon(`${basePath}api/v2/telemetry`, JSON.stringify(batch));
}

/** The page's own. A visit is one load of it. */
export const telemetry = createTelemetry(beacon);

export const { rendered, filters, exported } = telemetry;

// Leaving is seldom told twice in one way: a phone hides a page, a computer closes it.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") telemetry.tell();
});
window.addEventListener("pagehide", () => telemetry.tell());
