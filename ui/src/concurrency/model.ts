/** From the server's answers and a person's choices to what the tab draws. */

import type {
  ConcurrencyColumns,
  ConcurrencySeries,
  SuspectGroup,
  SuspectList,
} from "../api/types";
import { axisMax, bucketsOf, stackOrder, sumOf } from "../charts/timeline";
import type { Band, Buckets, LimitLine, Line } from "../charts/timeline";
import {
  arrayLimit,
  limitSummaryOf,
  limitValues,
  ownLimit,
  stepsOf,
  workflowLimit,
  type LimitSummary,
} from "./limits";
import { suspectsAtEnd, suspectsIn, type Suspects } from "./suspects";
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
  /** Of its array, where it is below that of the workflow. */
  limit: LimitSummary | null;
}

export interface Chart {
  buckets: Buckets;
  /** What is stacked, from the bottom to the top; nothing where lines are drawn instead. */
  bands: Band[];
  sums: Float64Array;
  lines: Line[];
  /** The workflow's, and that of the array of a template that is isolated. */
  limits: LimitLine[];
  /** Of what is shown, when the buckets end; null where there are none. */
  suspects: Suspects | null;
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
      limit: limitSummaryOf(limitOf(whole, series)),
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
      limit: null,
    });
  }
  return entries;
}

/** The limit on all attempts at a template's tasks, where it says something. */
function limitOf(answer: ConcurrencyColumns, series: ConcurrencySeries) {
  return series.attempts === undefined ? ownLimit(answer, series.task_template_name) : null;
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
  /** The suspects of the workflow, counted by what they have in common. */
  suspects?: SuspectList | null;
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
export function chartOf({ view, whole, part, suspects = null }: ChartInput): Chart {
  const answer = part ?? whole;
  const buckets = bucketsOf(answer);
  const limited = view.limits && ["RUNNING", "ACTIVE", "PENDING"].includes(view.status);
  const suspectGroups: SuspectGroup[] = [];
  const suspectOf = (is: (group: SuspectGroup) => boolean) => {
    const groups = (suspects?.groups ?? []).filter(
      (group) => answer.statuses.includes(group.status) && is(group),
    );
    suspectGroups.push(...groups);
    return groups.length > 0 && { suspect: suspectsIn(groups, buckets, view.stat) };
  };
  const shown: Band[] = stackOrder(answer.series)
    .filter((series) => isShown(view, series.task_template_name))
    .map((series) => {
      const { task_template_name: template, attempts, values } = series;
      const limit = limited ? limitOf(answer, series) : null;
      return {
        name: seriesName(series),
        values,
        ...(limit !== null && { limit: limitValues(stepsOf(limit), buckets) }),
        ...suspectOf(
          (group) =>
            group.task_template_name === template &&
            (attempts === undefined || group.attempts === attempts),
        ),
      };
    });
  if (answer.other !== null && (answer !== whole || otherShown(view))) {
    const told = new Set(answer.series.map((series) => series.task_template_name));
    const chosen = (name: string) => view.only.length === 0 || view.only.includes(name);
    shown.unshift({
      name: otherName(answer.other.templates),
      values: answer.other.values,
      ...suspectOf(({ task_template_name: name }) => !told.has(name) && chosen(name)),
    });
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
  const limits = limited ? limitLines(answer, view) : [];
  const active = limits.length === 0 ? undefined : beside("ACTIVE");
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
  const drawn = limits.map((limit) => {
    const top = Math.max(0, ...limit.steps.map((step) => step.value ?? 0));
    return { ...limit, top, above: top > 2.5 * Math.max(1, highest) };
  });
  const count = suspectsAtEnd(suspectGroups, buckets);
  const notDrawn = suspects?.ungrouped ?? 0;
  if (count > 0) {
    const values = suspectsIn(suspectGroups, buckets, view.stat);
    totals.push({ name: `Suspect, ${statWords[view.stat]}`, values });
  }
  for (const { name, steps } of limits) totals.push({ name, values: limitValues(steps, buckets) });
  return {
    buckets,
    bands,
    sums,
    lines,
    limits: drawn.map(({ name, steps, of, above }) => ({ name, steps, of, above })),
    suspects: count + notDrawn > 0 ? { count, notDrawn } : null,
    totals,
    rows: [...(stacked ? bands : shown)].reverse(),
    max: axisMax(Math.max(highest, ...drawn.map(({ top, above }) => (above ? 0 : top)))),
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

/** The limits on the tasks that are shown. */
function limitLines(answer: ConcurrencyColumns, view: View): Omit<LimitLine, "above">[] {
  const all = workflowLimit(answer);
  const alone = isolatedOf(view);
  const own = alone === null ? null : arrayLimit(answer, alone);
  return [
    ...(all === null ? [] : [{ name: "Limit", of: null, steps: stepsOf(all) }]),
    ...(own === null ? [] : [{ name: `Limit of ${alone}`, of: alone, steps: stepsOf(own) }]),
  ];
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
  /** That of the workflow, and that of the array of a template that is alone. */
  limits: LimitSummary[];
}

/** `alone` is the template that is isolated, if one is. */
export function summaryOf(answer: ConcurrencyColumns, alone: string | null): Summary {
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
    limits: [workflowLimit(answer), alone === null ? null : arrayLimit(answer, alone)]
      .map(limitSummaryOf)
      .filter((limit) => limit !== null),
  };
}
