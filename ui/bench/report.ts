/** The page about what was measured, in Markdown. */

import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";

/** What is to be reached, in the unit of what was measured. */
export interface Bar {
  what: string;
  bar: number;
  unit: "ms" | "kB" | "s";
  measured: readonly number[];
  /** The untuned chart's, where there is one to compare with. */
  untuned?: readonly number[];
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The least of the values that so large a share of them do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
}

/** The median, with the least and the greatest in brackets where there are several. */
export function figure(values: readonly number[], unit: string): string {
  const middle = `${number(median(values))} ${unit}`;
  if (values.length < 2) return middle;
  return `${middle} (${number(Math.min(...values))}–${number(Math.max(...values))})`;
}

/** On a slower machine, half of what the untuned chart takes is enough. */
const slower = 0.5;

function verdict({ bar, measured, untuned }: Bar): string {
  const middle = median(measured);
  if (middle <= bar) return "reached";
  const missed = `missed: ${(middle / bar).toFixed(2)} times it`;
  if (untuned === undefined) return missed;
  const share = middle / median(untuned);
  return `${missed}, ${share.toPrecision(2)} of the untuned chart's${share <= slower ? "" : ", where ½ would do"}`;
}

export function barTable(bars: readonly Bar[]): string {
  return table(
    ["what", "bar", "measured", "untuned chart", ""],
    bars.map((one) => [
      one.what,
      `≤ ${number(one.bar)} ${one.unit}`,
      figure(one.measured, one.unit),
      one.untuned === undefined ? "–" : figure(one.untuned, one.unit),
      verdict(one),
    ]),
  );
}

/** All columns but the first hold numbers, unless they have no head. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const aligned = head.map((name, i) => (i === 0 || name === "" ? "---" : "--:"));
  return [head, aligned, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

export function machine(browser: string): string {
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  const date = new Date().toISOString().slice(0, 16).replace("T", " ");
  const rows = [
    ["processor", `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores`],
    ["memory", `${Math.round(totalmem() / 2 ** 30)} GiB`],
    ["system", `${system ?? "unknown"}, Linux ${release()}`],
    ["browser", `Chromium ${browser}, headless, drawn by the processor alone`],
    ["Node.js", process.versions.node],
    ["date", `${date} UTC`],
  ];
  return ["| machine | |", "|---|---|", ...rows.map((row) => `| ${row.join(" | ")} |`)].join("\n");
}
