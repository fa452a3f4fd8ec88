/** From the server's answers and a person's choices to what the tab draws. */

import { axisMax, bucketsOf, stackOrder, sumOf } from "../charts/timeline";
import type { Band, Buckets } from "../charts/timeline";
import type { ConcurrencyColumns } from "../api/types";
import type { View } from "./view";

export interface LegendEntry {
  name: string;
  peak: number;
  /** Of the task-seconds of all templates, 0 to 1. */
  share: number;
  shown: boolean;
}

export interface Chart {
  buckets: Buckets;
  /** The shown templates, from the bottom of the stack to its top. */
  bands: Band[];
  sums: Float64Array;
  max: number;
}

/** Whether a template is drawn. */
export function isShown(view: View, name: string): boolean {
  return view.isolated === null ? !view.muted.includes(name) : view.isolated === name;
}

/** Isolates a template, or ends its isolation. */
export function isolate(view: View, name: string): Partial<View> {
  return view.isolated === name ? showAll : { isolated: name, muted: [] };
}

/** Shows a template that is hidden, hides one that is shown; hiding the last shows all. */
export function toggle(view: View, names: readonly string[], name: string): Partial<View> {
  const muted = names.filter((other) => isShown(view, other) === (other === name));
  return muted.length === names.length ? showAll : { isolated: null, muted };
}

export const showAll: Partial<View> = { isolated: null, muted: [] };

/** The templates to ask a total of, or none where the total of all is the one that is shown. */
export function selection(view: View, whole: ConcurrencyColumns | undefined): string[] {
  if (view.isolated !== null) return [view.isolated];
  if (view.muted.length === 0 || whole === undefined) return [];
  const names = whole.series.map((series) => series.task_template_name);
  const shown = names.filter((name) => isShown(view, name)).sort();
  return shown.length === names.length ? [] : shown;
}

/** From the top of the stack to its bottom. */
export function legendOf(whole: ConcurrencyColumns, view: View): LegendEntry[] {
  const all = whole.total.task_seconds;
  return stackOrder(whole.series)
    .reverse()
    .map((series) => ({
      name: series.task_template_name,
      peak: series.peak,
      share: all === 0 ? 0 : series.task_seconds / all,
      shown: isShown(view, series.task_template_name),
    }));
}

/**
 * `whole` has every template; `part` is the answer for the shown ones, or null while it is on its
 * way: then the height that the axis needs is known only if one template or all are shown, and
 * that of all serves for the rest.
 */
export function chartOf(
  whole: ConcurrencyColumns,
  part: ConcurrencyColumns | null,
  view: View,
): Chart {
  const buckets = bucketsOf(whole);
  const shown = stackOrder(whole.series).filter((s) => isShown(view, s.task_template_name));
  const bands = shown.map((s) => ({ name: s.task_template_name, values: s.values }));
  const highest = part?.total.peak ?? (shown.length === 1 ? shown[0].peak : whole.total.peak);
  return { buckets, bands, sums: sumOf(bands, buckets.count), max: axisMax(highest) };
}

export interface Summary {
  peak: number;
  peakAt: string | null;
  mean: number;
  /** Length of what the mean is over, without the part that has not happened yet. */
  seconds: number;
  taskSeconds: number;
  /** The template with most task-seconds, and its share of them. */
  top: { name: string; share: number } | null;
}

export function summaryOf(answer: ConcurrencyColumns): Summary {
  const { total, series } = answer;
  const end = Date.parse(answer.partial_from === null ? answer.window.end : answer.generated_at);
  const seconds = Math.max(0, (end - Date.parse(answer.window.start)) / 1000);
  const top = stackOrder(series).at(-1);
  return {
    peak: total.peak,
    peakAt: total.peak_at,
    mean: seconds === 0 ? 0 : total.task_seconds / seconds,
    seconds,
    taskSeconds: total.task_seconds,
    top:
      top === undefined || total.task_seconds === 0
        ? null
        : { name: top.task_template_name, share: top.task_seconds / total.task_seconds },
  };
}
