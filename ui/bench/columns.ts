import type { ConcurrencyColumns } from "../src/api/types";
import { newConcurrency, newSeries } from "../src/test/factories/concurrency";

/** So many buckets of so many templates, made up and the same in each run. Times are in milliseconds. */
export function columnsOf(
  templates: number,
  buckets: number,
  [from, to]: readonly [from: number, to: number],
): ConcurrencyColumns {
  const series = Array.from({ length: templates }, (_, k) => {
    const values = Array.from({ length: buckets }, (_, i) => {
      const wave = 1 + Math.sin((i / buckets) * (4 + (k % 5)) * Math.PI + k);
      return round(10 * wave * (0.6 + 0.8 * noise(i, k)));
    });
    return newSeries(`template_${String(k + 1).padStart(2, "0")}`, values);
  });
  const first = new Date(from).toISOString();
  return newConcurrency(series, {
    window: { start: first, end: new Date(to).toISOString() },
    bucket: { seconds: (to - from) / 1000 / buckets, first, count: buckets },
  });
}

/** Two places, as means that the server sends have. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** From 0 to 1, without a pattern that one would see. */
function noise(i: number, k: number): number {
  return Math.abs(Math.sin(i * 12.9898 + k * 78.233) * 43758.5453) % 1;
}
