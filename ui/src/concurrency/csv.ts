import type { Band, Buckets } from "../charts/timeline";
import { bucketStart } from "../charts/timeline";

export interface CsvInput {
  workflow: { id: number; name: string };
  /** As "RUNNING". */
  status: string;
  buckets: Buckets;
  /** First row and one past the last. */
  rows: readonly [from: number, to: number];
  /** From the top of the stack to its bottom, as on screen. */
  bands: readonly Band[];
  /** What the total is of, in words. */
  totalOf: string;
  totalMeans: readonly number[];
  totalPeaks: readonly number[];
  generatedAt: string;
}

/** The table of what is on screen, RFC 4180, with a header of comment lines that says what it is. */
export function toCsv(input: CsvInput): string {
  const { buckets, rows, bands } = input;
  const [from, to] = rows;
  const comments = [
    `workflow: ${input.workflow.name} (id ${input.workflow.id})`,
    `window: ${iso(bucketStart(buckets, from))} to ${iso(Math.min(bucketStart(buckets, to), buckets.end))}, end not included`,
    `bucket: ${buckets.width / 1000} s, each row at the start of its bucket; times are UTC`,
    `statistic: time-weighted mean of the tasks in ${input.status}; total_peak is the most at any instant of the bucket`,
    `total: ${input.totalOf}`,
    `generated: ${input.generatedAt}`,
  ];
  const lines = comments.map((comment) => `# ${oneLine(comment)}`);
  const names = bands.map((band) => band.name);
  lines.push(["bucket_start", ...names, "total_mean", "total_peak"].map(cell).join(","));
  for (let i = from; i < to; i++) {
    const values = bands.map((band) => band.values[i]);
    const numbers = [...values, input.totalMeans[i], input.totalPeaks[i]];
    lines.push(`${iso(bucketStart(buckets, i))},${numbers.join(",")}`);
  }
  return `${lines.join("\r\n")}\r\n`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}

/** A spreadsheet takes a cell that begins with one of these for a formula, and runs it. */
const formula = /^[=+\-@\t\r]/;

function cell(text: string): string {
  const safe = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
