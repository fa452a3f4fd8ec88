/** What a person chose to look at, as the URL holds it. */

import type { Workflow } from "../api/types";
import type { Range } from "../charts/timeline";
import { parseInstant } from "../instant";
import { isId } from "../routes/ids";

export const presets = ["1h", "6h", "24h", "7d", "30d", "all"] as const;
export type Preset = (typeof presets)[number];

/** Instants as the API writes them; half-open. */
export interface Span {
  start: string;
  end: string;
}

/** A preset moves with time; a span does not. */
export type TimeWindow = Preset | Span;

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

/** Statuses by the names that the API takes, and the unions that have one. */
export const statuses = [
  "RUNNING",
  "ACTIVE",
  "PENDING",
  "REGISTERING",
  "QUEUED",
  "INSTANTIATING",
  "LAUNCHED",
  "DONE",
  "ERROR_RECOVERABLE",
  "ADJUSTING_RESOURCES",
  "ERROR_FATAL",
] as const;
export type Status = (typeof statuses)[number];

export const stats = ["mean", "peak", "start"] as const;
export type Stat = (typeof stats)[number];

export const forms = ["areas", "total", "table"] as const;
export type Form = (typeof forms)[number];

export interface View {
  /** Null where nothing was chosen: see openingWindow. */
  window: TimeWindow | null;
  /** The part of the window that is on screen, in milliseconds; null for all of it. */
  zoom: Range | null;
  granularity: Granularity;
  status: Status;
  stat: Stat;
  form: Form;
  /** The templates that are shown; all where there is none. */
  only: readonly string[];
  /** Templates that are not shown. */
  muted: readonly string[];
  /** Whether the templates that are otherwise together as Other are told apart. */
  everyTemplate: boolean;
  /** Whether each template's attempts after the first are told apart. */
  split: boolean;
  /** Whether the tasks that are PENDING are drawn on top of those that are RUNNING. */
  pending: boolean;
  limits: boolean;
  /** Whether a window that ends now is asked for again and again. */
  live: boolean;
  /** Another workflow, whose total is drawn from its own start on. */
  compare: number | null;
  /** The instant of which the tasks are listed. */
  at: string | null;
}

/** What is seen where nothing was chosen. */
export const opening: View = {
  window: null,
  zoom: null,
  granularity: "auto",
  status: "RUNNING",
  stat: "mean",
  form: "areas",
  only: [],
  muted: [],
  everyTemplate: false,
  split: false,
  pending: false,
  limits: true,
  live: true,
  compare: null,
  at: null,
};

export interface ParsedView {
  view: View;
  /** The parameters of which nothing could be made, as "bucket=7s". */
  ignored: string[];
}

/** Reads the URL's parameters; what is not among the choices counts as not chosen. */
export function parseView(params: URLSearchParams): ParsedView {
  const ignored: string[] = [];
  function read<T>(name: string, parse: (text: string) => T | null, otherwise: T): T {
    const text = params.get(name);
    if (text === null) return otherwise;
    const value = parse(text);
    if (value === null) ignored.push(`${name}=${text}`);
    return value ?? otherwise;
  }
  const flag = (text: string) => (text === "1" ? true : text === "0" ? false : null);
  const view: View = {
    window: read("window", parseSpan, null) ?? read("range", choice(presets), null),
    zoom: read("zoom", parseZoom, opening.zoom),
    granularity: read("bucket", choice(granularities), opening.granularity),
    status: read("status", choice(statuses), opening.status),
    stat: read("stat", choice(stats), opening.stat),
    form: read("view", choice(forms), opening.form),
    only: params.getAll("template"),
    muted: params.getAll("mute"),
    everyTemplate: read("every", flag, opening.everyTemplate),
    split: read("split", flag, opening.split),
    pending: read("pending", flag, opening.pending),
    limits: read("limits", flag, opening.limits),
    live: read("live", flag, opening.live),
    compare: read("compare", parseId, opening.compare),
    at: read("at", parseInstant, opening.at),
  };
  for (const [name, text] of params) if (!names.includes(name)) ignored.push(`${name}=${text}`);
  return { view, ignored };
}

const names = [
  "window",
  "range",
  "zoom",
  "bucket",
  "status",
  "stat",
  "view",
  "template",
  "mute",
  "every",
  "split",
  "pending",
  "limits",
  "live",
  "compare",
  "at",
];

/** The URL's parameters with some choices changed, and all that is not a view's left as it was. */
export function withView(params: URLSearchParams, change: Partial<View>): URLSearchParams {
  const view = { ...parseView(params).view, ...change };
  const next = new URLSearchParams(params);
  for (const name of names) next.delete(name);
  const set = (name: string, value: string | boolean, otherwise: string | boolean) => {
    if (value !== otherwise)
      next.set(name, typeof value === "boolean" ? (value ? "1" : "0") : value);
  };
  if (typeof view.window === "string") next.set("range", view.window);
  else if (view.window !== null) next.set("window", `${view.window.start}/${view.window.end}`);
  if (view.zoom !== null) next.set("zoom", view.zoom.map(instantOf).join("/"));
  set("bucket", view.granularity, opening.granularity);
  set("status", view.status, opening.status);
  set("stat", view.stat, opening.stat);
  set("view", view.form, opening.form);
  for (const name of view.only) next.append("template", name);
  for (const name of view.muted) next.append("mute", name);
  set("every", view.everyTemplate, opening.everyTemplate);
  set("split", view.split, opening.split);
  set("pending", view.pending, opening.pending);
  set("limits", view.limits, opening.limits);
  set("live", view.live, opening.live);
  if (view.compare !== null) next.set("compare", String(view.compare));
  if (view.at !== null) next.set("at", view.at);
  return next;
}

function choice<T extends string>(choices: readonly T[]): (text: string) => T | null {
  return (text) => choices.find((one) => one === text) ?? null;
}

function parseSpan(text: string): Span | null {
  const parts = text.split("/");
  const [start, end] = parts.map(parseInstant);
  if (parts.length !== 2 || start === null || end === null) return null;
  return Date.parse(start) < Date.parse(end) ? { start, end } : null;
}

function parseZoom(text: string): Range | null {
  const span = parseSpan(text);
  return span === null ? null : [Date.parse(span.start), Date.parse(span.end)];
}

function parseId(text: string): number | null {
  return isId(text) ? Number(text) : null;
}

/** Milliseconds as an instant of the API. */
export function instantOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, "Z");
}

const seconds = { "1h": 3_600, "6h": 21_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000 };

/**
 * The window to open on where none was chosen: the last day of a run that has gone on for longer than
 * that, and all of any other, since a chart that is mostly empty tells nothing. `now` is in
 * milliseconds since the epoch.
 */
export function openingWindow(workflow: Workflow, now: number): Preset {
  const first = workflow.first_transition_at;
  if (hasEnded(workflow) || first === null) return "all";
  return Date.parse(first) < now - seconds["24h"] * 1000 ? "24h" : "all";
}

/** Whether nothing moves any more. A run between two waves has no active task and has not ended. */
export function hasEnded(workflow: Workflow): boolean {
  return !workflow.active && ["D", "H", "F", "A", "N"].includes(workflow.status);
}

/**
 * How long a window is in seconds; `all` lasts from the first transition to the last, or to now, which is in
 * milliseconds.
 */
export function windowSeconds(window: TimeWindow, workflow: Workflow, now: number): number {
  if (typeof window === "object") return (Date.parse(window.end) - Date.parse(window.start)) / 1000;
  if (window !== "all") return seconds[window];
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
