/** What a person chose to look at, as the URL holds it. */

import type { Workflow } from "../api/types";

export const timeRanges = ["1h", "6h", "24h", "7d", "all"] as const;
export type TimeRange = (typeof timeRanges)[number];

export const granularities = [
  "auto",
  "1s",
  "5s",
  "10s",
  "30s",
  "1m",
  "5m",
  "10m",
  "30m",
  "1h",
  "6h",
  "1d",
] as const;
export type Granularity = (typeof granularities)[number];

export interface View {
  /** Null where nothing was chosen: see openingRange. */
  timeRange: TimeRange | null;
  granularity: Granularity;
  /** The one template that is shown, if one is isolated. */
  isolated: string | null;
  /** Templates that are not shown. */
  muted: readonly string[];
}

/** Reads the URL's parameters; what is not among the choices counts as not chosen. */
export function parseView(params: URLSearchParams): View {
  return {
    timeRange: oneOf(timeRanges, params.get("range")),
    granularity: oneOf(granularities, params.get("bucket")) ?? "auto",
    isolated: params.get("template"),
    muted: params.getAll("mute"),
  };
}

/** The URL's parameters with some choices changed, and all that is not a view's left as it was. */
export function withView(params: URLSearchParams, change: Partial<View>): URLSearchParams {
  const view = { ...parseView(params), ...change };
  const next = new URLSearchParams(params);
  for (const name of ["range", "bucket", "template", "mute"]) next.delete(name);
  if (view.timeRange !== null) next.set("range", view.timeRange);
  if (view.granularity !== "auto") next.set("bucket", view.granularity);
  if (view.isolated !== null) next.set("template", view.isolated);
  for (const name of view.muted) next.append("mute", name);
  return next;
}

const seconds = { "1h": 3_600, "6h": 21_600, "24h": 86_400, "7d": 604_800 };

/**
 * The range to open on where none was chosen: the last day of a run that has gone on for longer than
 * that, and all of any other, since a chart that is mostly empty tells nothing. `now` is in
 * milliseconds since the epoch.
 */
export function openingRange(workflow: Workflow, now: number): TimeRange {
  const first = workflow.first_transition_at;
  if (hasEnded(workflow) || first === null) return "all";
  return Date.parse(first) < now - seconds["24h"] * 1000 ? "24h" : "all";
}

/** Whether nothing moves any more. A run between two waves has no active task and has not ended. */
export function hasEnded(workflow: Workflow): boolean {
  return !workflow.active && ["D", "H", "F", "A"].includes(workflow.status);
}

/** How long the range is in seconds; `all` lasts from the first transition to the last, or to now. */
export function rangeSeconds(range: TimeRange, workflow: Workflow, now: number): number {
  if (range !== "all") return seconds[range];
  const { first_transition_at: first, last_transition_at: last, active } = workflow;
  if (first === null || last === null) return 0;
  return ((active ? now : Date.parse(last)) - Date.parse(first)) / 1000;
}

const units = { s: 1, m: 60, h: 3_600, d: 86_400 };

export function granularitySeconds(granularity: Exclude<Granularity, "auto">): number {
  const unit = granularity.at(-1) as keyof typeof units;
  return Number.parseInt(granularity, 10) * units[unit];
}

/** The server answers no more. */
export const maxBuckets = 50_000;

function oneOf<T extends string>(choices: readonly T[], value: string | null): T | null {
  return choices.find((choice) => choice === value) ?? null;
}
