/** From the server's answers and a person's choices to what the tab draws. */

import type { ConcurrencyColumns, ConcurrencyLimit, ConcurrencySeries } from "../api/types";
import { axisMax, bucketsOf, bucketStart, stackOrder, sumOf } from "../charts/timeline";
import type { Band, Buckets, Line, Step } from "../charts/timeline";
import type { Stat, View } from "./view";

export interface LegendEntry {
  name: string;
  /** Null for those that are together as Other. */
  template: string | null;
  peak: number;
  /** Whether the peak is exact; otherwise it is no higher. */
  exact: boolean;
  /** Of the task-seconds of all templates, 0 to 1. */
  share: number;
  shown: boolean;
}

export interface Chart {
  buckets: Buckets;
  /** What is stacked, from the bottom to the top; nothing where lines are drawn instead. */
  bands: Band[];
  sums: Float64Array;
  lines: Line[];
  limit: { label: string; steps: Step[]; above: boolean } | null;
  /** What the tooltip says of the total, and of each template from the top of the stack to its bottom. */
  totals: Band[];
  rows: Band[];
  max: number;
}

/** The templates that are not told apart, as one. */
export function otherName(templates: number): string {
  return `Other (${templates} ${templates === 1 ? "template" : "templates"})`;
}

/** The tasks that wait, on top of those that run. */
export const pendingName = "PENDING";

/** What a series is called: later attempts at a template's tasks have a name of their own. */
export function seriesName(series: Pick<ConcurrencySeries, "task_template_name" | "attempts">) {
  return series.attempts === "later"
    ? laterName(series.task_template_name)
    : series.task_template_name;
}

/** The name of the later attempts at a template's tasks. */
export function laterName(template: string): string {
  return `${template} (later attempts)`;
}

/** Whether a template is drawn. */
export function isShown(view: View, name: string): boolean {
  return view.only.length === 0 ? !view.muted.includes(name) : view.only.includes(name);
}

/** The template that is shown alone, if one is. */
export function isolatedOf(view: View): string | null {
  return view.only.length === 1 ? view.only[0] : null;
}

/** Isolates a template, or ends its isolation. */
export function isolate(view: View, name: string): Partial<View> {
  return isolatedOf(view) === name ? showAll : show([name]);
}

/** Shows some templates and no others; all where there is none. */
export function show(names: readonly string[]): Partial<View> {
  return { only: [...names].sort(), muted: [] };
}

/** Shows a template that is hidden, hides one that is shown; hiding the last shows all. */
export function toggle(view: View, names: readonly string[], name: string): Partial<View> {
  if (view.only.length > 0) {
    const others = view.only.filter((other) => other !== name);
    return show(others.length < view.only.length ? others : [...others, name]);
  }
  const muted = names.filter((other) => isShown(view, other) === (other === name));
  return muted.length === names.length ? showAll : { only: [], muted };
}

export const showAll: Partial<View> = { only: [], muted: [] };

/** The templates to ask a total of, or none where the total of all is the one that is shown. */
export function selection(view: View, whole: ConcurrencyColumns | undefined): string[] {
  if (view.only.length > 0) return [...view.only].sort();
  if (view.muted.length === 0 || whole === undefined) return [];
  const names = [...new Set(whole.series.map((series) => series.task_template_name))];
  const shown = names.filter((name) => isShown(view, name)).sort();
  return shown.length === names.length ? [] : shown;
}

/** From the top of the stack to its bottom, what is together as Other last. */
export function legendOf(whole: ConcurrencyColumns, view: View): LegendEntry[] {
  const all = whole.total.task_seconds;
  const share = (taskSeconds: number) => (all === 0 ? 0 : taskSeconds / all);
  const entries: LegendEntry[] = stackOrder(whole.series)
    .reverse()
    .map((series) => ({
      name: seriesName(series),
      template: series.task_template_name,
      peak: series.peak,
      exact: series.peak_is === "exact",
      share: share(series.task_seconds),
      shown: isShown(view, series.task_template_name),
    }));
  const { other } = whole;
  if (other !== null) {
    entries.push({
      name: otherName(other.templates),
      template: null,
      peak: other.peak,
      exact: other.peak_is === "exact",
      share: share(other.task_seconds),
      shown: otherShown(view),
    });
  }
  return entries;
}

/** Templates that are not told apart are shown as long as all are. */
function otherShown(view: View): boolean {
  return view.only.length === 0 && view.muted.length === 0;
}

/** How many templates an answer is of, those in Other included. */
export function templatesOf({ series, other }: ConcurrencyColumns): number {
  return new Set(series.map((one) => one.task_template_name)).size + (other?.templates ?? 0);
}

export interface ChartInput {
  view: View;
  /** Every template. */
  whole: ConcurrencyColumns;
  /** The answer for the shown templates, or null while it is on its way. */
  part: ConcurrencyColumns | null;
}

const unions = { ACTIVE: "QIOR", PENDING: "QI" };

/** The statuses whose totals are drawn over and on that of RUNNING. */
export function besideOf({ status, pending }: View): (keyof typeof unions)[] {
  if (status !== "RUNNING") return [];
  return pending ? ["ACTIVE", "PENDING"] : ["ACTIVE"];
}

function totalBeside(answer: ConcurrencyColumns, status: keyof typeof unions) {
  return answer.beside.find(({ statuses }) => statuses.join("") === unions[status]);
}

/** All that is drawn is of one answer, so that it is of the same buckets. */
export function chartOf({ view, whole, part }: ChartInput): Chart {
  const answer = part ?? whole;
  const buckets = bucketsOf(answer);
  const shown = stackOrder(answer.series)
    .filter((series) => isShown(view, series.task_template_name))
    .map((series) => ({ name: seriesName(series), values: series.values }));
  if (answer.other !== null && (answer !== whole || otherShown(view))) {
    shown.unshift({ name: otherName(answer.other.templates), values: answer.other.values });
  }
  const stacked = view.form !== "total" && view.stat !== "peak";
  const bands = stacked ? [...shown] : [];
  // Until its own answer is there, what is known of all is not of what is shown.
  const beside = (status: keyof typeof unions) =>
    part !== null && besideOf(view).includes(status) ? totalBeside(part, status) : undefined;
  const pending = beside("PENDING");
  // Means add, and so do numbers at an instant.
  if (stacked && pending !== undefined) bands.push({ name: pendingName, values: pending.values });
  const sums = sumOf(bands, buckets.count);
  const total = part?.total ?? null;
  const limit = limitOf(answer, view);
  const active = limit === null ? undefined : beside("ACTIVE");
  const totals = totalsOf(view, total, sums, active);
  const templates = view.form !== "total" && !stacked ? shown : [];
  const lines: Line[] = templates.map((band) => ({ ...band, kind: "template" }));
  if (view.form === "total" && view.stat !== "peak" && total !== null) {
    lines.push({ name: totalName(view.stat), values: total.values, kind: "mean" });
  }
  const outline = totals.find((band) => band.name === activeName);
  if (outline !== undefined) lines.push({ ...outline, kind: "active" });
  if (total !== null) lines.push({ name: totalName("peak"), values: total.peaks, kind: "peak" });
  const highest = Math.max(
    // Until its own answer is there, what one template or all need is known, and that of all serves for the rest.
    total?.peak ?? (shown.length === 1 ? highestOf(shown[0].values) : whole.total.peak),
    highestOf(sums),
    outline === undefined ? 0 : highestOf(outline.values),
  );
  const top = limit === null ? 0 : Math.max(0, ...limit.steps.map((step) => step.value ?? 0));
  const above = top > 2.5 * Math.max(1, highest);
  return {
    buckets,
    bands,
    sums,
    lines,
    limit: limit === null ? null : { ...limit, above },
    totals:
      limit === null
        ? totals
        : [...totals, { name: "Limit", values: limitValues(limit.steps, buckets) }],
    rows: [...(stacked ? bands : shown)].reverse(),
    max: axisMax(Math.max(highest, above ? 0 : top)),
  };
}

const activeName = "ACTIVE, peak";

const statWords: Record<Stat, string> = {
  mean: "mean",
  peak: "peak",
  start: "at the bucket's start",
};

export function totalName(stat: Stat): string {
  return `Total, ${statWords[stat]}`;
}

function totalsOf(
  view: View,
  total: ConcurrencyColumns["total"] | null,
  sums: Float64Array,
  active: ConcurrencyColumns["total"] | undefined,
): Band[] {
  const totals: Band[] = [];
  if (view.stat !== "peak") {
    totals.push({ name: totalName(view.stat), values: total?.values ?? sums });
  }
  if (total !== null) totals.push({ name: totalName("peak"), values: total.peaks });
  if (active !== undefined) totals.push({ name: activeName, values: active.peaks });
  return totals;
}

/** The limit on the tasks that are shown: that of the one template's array, or the workflow's. */
function limitOf(answer: ConcurrencyColumns, view: View): { label: string; steps: Step[] } | null {
  if (!view.limits || !["RUNNING", "ACTIVE", "PENDING"].includes(view.status)) return null;
  const limited = (limit: ConcurrencyLimit | undefined) =>
    limit?.steps.some((step) => step.max_concurrently_running !== null) ? limit : undefined;
  const limit =
    limited(
      answer.limits.find((l) => l.scope === "array" && l.task_template_name === isolatedOf(view)),
    ) ?? limited(answer.limits.find((l) => l.scope === "workflow"));
  if (limit === undefined) return null;
  return {
    label:
      limit.task_template_name === null
        ? "Limit of the workflow"
        : `Limit of ${limit.task_template_name}`,
    steps: limit.steps.map((step) => ({
      from: Date.parse(step.from),
      value: step.max_concurrently_running,
    })),
  };
}

/** The limit in force when each bucket begins; not a number where there is none. */
function limitValues(steps: readonly Step[], buckets: Buckets): Float64Array {
  const values = new Float64Array(buckets.count).fill(NaN);
  let next = 0;
  let value = NaN;
  for (let i = 0; i < buckets.count; i++) {
    while (next < steps.length && steps[next].from <= bucketStart(buckets, i)) {
      value = steps[next++].value ?? NaN;
    }
    values[i] = value;
  }
  return values;
}

function highestOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((highest, value) => Math.max(highest, value), 0);
}

export interface Summary {
  peak: number;
  peakAt: string | null;
  exact: boolean;
  mean: number;
  /** Length of what the mean is over, without the part that has not happened yet. */
  seconds: number;
  taskSeconds: number;
  /** The template with most task-seconds, and its share of them. */
  top: { name: string; share: number } | null;
  /** Of the workflow; null where it had none in the window. */
  limit: LimitSummary | null;
}

export interface LimitSummary {
  /** What it was last. */
  value: number;
  seconds: number;
  /** Of the part of the window that is over, 0 to 1. */
  share: number;
  /** 0 where the seconds are exact; otherwise they are no more, and spans of so many count as a whole. */
  resolution: number;
}

export function summaryOf(answer: ConcurrencyColumns): Summary {
  const { total, series } = answer;
  const end = Date.parse(answer.partial_from === null ? answer.window.end : answer.generated_at);
  const seconds = Math.max(0, (end - Date.parse(answer.window.start)) / 1000);
  const top = stackOrder(series).at(-1);
  return {
    peak: total.peak,
    peakAt: total.peak_at,
    exact: total.peak_is === "exact",
    mean: seconds === 0 ? 0 : total.task_seconds / seconds,
    seconds,
    taskSeconds: total.task_seconds,
    top:
      top === undefined || total.task_seconds === 0
        ? null
        : { name: seriesName(top), share: top.task_seconds / total.task_seconds },
    limit: limitSummaryOf(answer.limits.find((limit) => limit.scope === "workflow")),
  };
}

function limitSummaryOf(limit: ConcurrencyLimit | undefined): LimitSummary | null {
  const value = limit?.steps.at(-1)?.max_concurrently_running ?? null;
  if (limit === undefined || value === null || limit.at_limit_seconds === null) return null;
  return {
    value,
    seconds: limit.at_limit_seconds,
    share: limit.at_limit_share ?? 0,
    resolution: limit.at_limit_resolution_seconds ?? 0,
  };
}
