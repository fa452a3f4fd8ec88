import type { Band, Buckets } from "../charts/timeline";
import { bucketStart } from "../charts/timeline";

export interface CsvInput {
  workflow: { id: number; name: string };
  /** As "RUNNING". */
  status: string;
  /** What the numbers of the templates are. */
  statistic: string;
  buckets: Buckets;
  /** First row and one past the last. */
  rows: readonly [from: number, to: number];
  /** From the top of the stack to its bottom, as on screen. */
  bands: readonly Band[];
  /** What is told of all together: where there is no number, the cell is empty. */
  totals: readonly Band[];
  /** What the totals are of, in words. */
  totalOf: string;
  version: string;
  generatedAt: string;
}

/** The table of what is on screen, RFC 4180, with a header of comment lines that says what it is. */
export function toCsv(input: CsvInput): string {
  const { buckets, rows, bands, totals } = input;
  const [from, to] = rows;
  const comments = [
    `workflow: ${input.workflow.name} (id ${input.workflow.id})`,
    `window: ${iso(bucketStart(buckets, from))} to ${iso(Math.min(bucketStart(buckets, to), buckets.end))}, end not included`,
    `bucket: ${buckets.width / 1000} s, each row at the start of its bucket; times are UTC`,
    `statistic: ${input.statistic}`,
    `status: ${input.status}`,
    `total: ${input.totalOf}`,
    `version: ${input.version}`,
    `generated: ${input.generatedAt}`,
  ];
  // A line of one cell: a name with a comma in it would otherwise be several.
  const lines = comments.map((comment) => cell(`# ${oneLine(comment)}`));
  const names = [...bands.map((band) => band.name), ...totals.map((band) => columnName(band.name))];
  lines.push(["bucket_start", ...names].map(cell).join(","));
  for (let i = from; i < to; i++) {
    const numbers = [...bands, ...totals].map(({ values }) =>
      Number.isNaN(values[i]) ? "" : values[i],
    );
    lines.push(`${iso(bucketStart(buckets, i))},${numbers.join(",")}`);
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** "total_peak" of "Total, peak". */
function columnName(words: string): string {
  return words.toLowerCase().replace(/[^a-z]+/g, "_");
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
