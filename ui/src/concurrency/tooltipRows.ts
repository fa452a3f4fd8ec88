import type { Band } from "../charts/timeline";
import { formatNumber } from "../format";

export interface TooltipRows {
  /** Whether each row is told by itself. */
  told: readonly boolean[];
  /** What is said of the others; empty where there are none. */
  others: string;
}

/**
 * Which rows of a bucket are told where there is room for so many: all of them, or those that are not zero, or the
 * largest of these.
 */
export function tooltipRows(rows: readonly Band[], bucket: number, room: number): TooltipRows {
  if (rows.length <= room) return { told: rows.map(() => true), others: "" };
  const values = rows.map((row) => row.values[bucket]);
  const there = values.flatMap((value, i) => (value > 0 ? [i] : []));
  const told = new Set(there.sort((a, b) => values[b] - values[a]).slice(0, room));
  const left = there.filter((i) => !told.has(i));
  const zeros = values.length - there.length;
  const said = [
    ...(left.length === 0
      ? []
      : [`${formatNumber(left.length)} more, together ${formatNumber(sumOf(left))}`]),
    ...(zeros === 0 ? [] : [`${formatNumber(zeros)} more with none`]),
  ];
  return { told: rows.map((_, i) => told.has(i)), others: said.join("; ") };

  function sumOf(some: readonly number[]): number {
    return some.reduce((sum, i) => sum + values[i], 0);
  }
}
