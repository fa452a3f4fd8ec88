/** The order of the templates in their table. */

import type { TemplateStats } from "../api/types";
import type { Sort } from "../components/DataTable";

/** Which columns the table can be ordered by, and what a row has there; null where it is not known. */
const values = {
  name: (stats) => stats.task_template_name,
  tasks: tasksOf,
  attempts: (stats) => stats.attempts,
  retries: (stats) => stats.retries,
  failed: (stats) => stats.failed_attempts,
  runs: (stats) => stats.runs?.count ?? null,
  p10: quantile("p10"),
  p25: quantile("p25"),
  p50: quantile("p50"),
  p75: quantile("p75"),
  p90: quantile("p90"),
  p99: quantile("p99"),
  max: quantile("max"),
} satisfies Record<string, (stats: TemplateStats) => string | number | null>;

export type TemplateColumn = keyof typeof values;
export type Quantile = "p10" | "p25" | "p50" | "p75" | "p90" | "p99" | "max";

export function quantile(name: Quantile) {
  return (stats: TemplateStats): number | null => stats.runs?.seconds?.[name] ?? null;
}

/** The tasks of a template in all statuses. */
export function tasksOf({ tasks }: TemplateStats): number {
  return Object.values(tasks).reduce((sum, count) => sum + count, 0);
}

export const byName: Sort = { by: "name", descending: false };

/** Reads the URL's "p50" or "-p50", with the largest first; by name for anything else. */
export function parseSort(text: string | null): Sort {
  const descending = text?.startsWith("-") ?? false;
  const by = descending ? text?.slice(1) : text;
  return by != null && isColumn(by) ? { by, descending } : byName;
}

/** What parseSort reads; null for the order that is there unasked. */
export function writeSort({ by, descending }: Sort): string | null {
  return by === byName.by && !descending ? null : `${descending ? "-" : ""}${by}`;
}

/** The order after a click on a column: names from A on and numbers from the largest, then the reverse. */
export function nextSort(sort: Sort, by: string): Sort {
  return { by, descending: sort.by === by ? !sort.descending : by !== "name" };
}

/** Rows without a value are last in either direction, and equals are by name. */
export function sortTemplates(
  templates: readonly TemplateStats[],
  { by, descending }: Sort,
): TemplateStats[] {
  const value: (stats: TemplateStats) => string | number | null = values[by as TemplateColumn];
  const sign = descending ? -1 : 1;
  return [...templates].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    const names = compareNames(a.task_template_name, b.task_template_name);
    if (x === null || y === null) return Number(x === null) - Number(y === null) || names;
    if (typeof x === "string" || typeof y === "string") return sign * names;
    return sign * (x - y) || names;
  });
}

/** "align_2" before "align_10". */
const collator = new Intl.Collator("en", { numeric: true });

function compareNames(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : Number(a > b));
}

function isColumn(name: string): name is TemplateColumn {
  return Object.hasOwn(values, name);
}
