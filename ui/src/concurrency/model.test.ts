import { describe, expect, it } from "vitest";
import { newConcurrency, newSeries } from "../test/factories/concurrency";
import type { ConcurrencyLimit } from "../api/types";
import { chartOf, isolate, legendOf, selection, summaryOf, toggle } from "./model";
import type { Chart, ChartInput } from "./model";
import { opening as all } from "./view";

const names = ["align", "call", "merge"];
const whole = newConcurrency([
  newSeries("align", [1, 2.5, 0], 4),
  newSeries("call", [0, 4, 3.25], 6),
  newSeries("merge", [0, 0, 1], 1),
]);

describe("choosing templates", () => {
  it("isolates, and ends the isolation with the same click", () => {
    const one = { ...all, ...isolate({ ...all, muted: ["align"] }, "call") };
    expect(one).toMatchObject({ only: ["call"], muted: [] });
    expect(isolate(one, "call")).toEqual({ only: [], muted: [] });
    expect(isolate(one, "align")).toMatchObject({ only: ["align"] });
  });

  it("mutes and shows again", () => {
    const muted = { ...all, ...toggle(all, names, "call") };
    expect(muted.muted).toEqual(["call"]);
    expect(toggle(muted, names, "call")).toMatchObject({ muted: [] });
  });

  it("adds a template to an isolated one", () => {
    const view = { ...all, only: ["call"] };
    const both = { ...all, ...toggle(view, names, "align") };
    expect(both).toMatchObject({ only: ["align", "call"], muted: [] });
    expect(toggle(both, names, "call")).toEqual({ only: ["align"], muted: [] });
  });

  it("shows all rather than nothing", () => {
    expect(toggle({ ...all, only: ["call"] }, names, "call")).toMatchObject({ muted: [] });
  });

  it("asks for a total of its own only where some templates are hidden", () => {
    expect(selection(all, whole)).toEqual([]);
    expect(selection({ ...all, only: ["call"] }, undefined)).toEqual(["call"]);
    expect(selection({ ...all, muted: ["merge"] }, whole)).toEqual(["align", "call"]);
    expect(selection({ ...all, muted: ["gone"] }, whole)).toEqual([]);
  });
});

describe("legendOf", () => {
  it("goes down the stack, with each template's peak and share", () => {
    const legend = legendOf(whole, { ...all, muted: ["align"] });
    expect(legend.map(({ name, peak, shown }) => [name, peak, shown])).toEqual([
      ["call", 6, true],
      ["align", 4, false],
      ["merge", 1, true],
    ]);
    expect(legend.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  });
});

describe("chartOf", () => {
  const draw = (change: Partial<ChartInput> = {}) =>
    chartOf({ view: all, whole, part: change.whole ?? whole, ...change });
  const kinds = (chart: Chart) => chart.lines.map(({ kind, name }) => `${kind}: ${name}`);

  it("stacks what is shown", () => {
    const chart = draw({ view: { ...all, muted: ["align"] } });
    expect(chart.bands.map((band) => band.name)).toEqual(["merge", "call"]);
    expect(chart.rows.map((row) => row.name)).toEqual(["call", "merge"]);
    expect([...chart.sums]).toEqual([0, 4, 4.25]);
    expect(kinds(chart)).toEqual(["peak: Total, peak"]);
    expect(chart.totals.map((total) => total.name)).toEqual(["Total, mean", "Total, peak"]);
  });

  it("draws peaks as lines, which do not add", () => {
    const chart = draw({ view: { ...all, stat: "peak" } });
    expect(chart.bands).toEqual([]);
    expect(kinds(chart)).toEqual([
      "template: merge",
      "template: align",
      "template: call",
      "peak: Total, peak",
    ]);
    expect(chart.rows.map((row) => row.name)).toEqual(["call", "align", "merge"]);
  });

  it("draws the total alone, as two lines", () => {
    const chart = draw({ view: { ...all, form: "total" } });
    expect(chart.bands).toEqual([]);
    expect(kinds(chart)).toEqual(["mean: Total, mean", "peak: Total, peak"]);
  });

  it("puts Other at the bottom as long as all are shown", () => {
    const other = {
      templates: 106,
      values: [1, 0, 2],
      values_are: "exact" as const,
      peak: 3,
      peak_at: null,
      peak_is: "upper_bound" as const,
      task_seconds: 180,
    };
    const folded = { ...whole, other };
    expect(draw({ whole: folded }).bands[0]).toEqual({
      name: "Other (106 templates)",
      values: other.values,
    });
    expect(legendOf(folded, all).at(-1)).toMatchObject({
      name: "Other (106 templates)",
      template: null,
      peak: 3,
      exact: false,
    });
    expect(
      draw({ whole: folded, part: null, view: { ...all, only: ["call"] } }).bands,
    ).toHaveLength(1);
  });

  it("lays what waits on what runs, and outlines what is active", () => {
    const { total } = newConcurrency([newSeries("align", [2, 9, 2])]);
    const beside = [
      { statuses: ["Q", "I", "O", "R"], ...total },
      { statuses: ["Q", "I"], ...total, values: [2, 2, 2] },
    ];
    const limits = [limit("workflow", null, [["2022-05-13T03:00:00Z", 8]])];
    const part = { ...whole, beside, limits };
    const view = { ...all, pending: true };
    const chart = draw({ part, view });
    expect(chart.bands.at(-1)).toEqual({ name: "PENDING", values: [2, 2, 2] });
    expect(chart.rows[0].name).toBe("PENDING");
    expect(kinds(chart)).toEqual(["active: ACTIVE, peak", "peak: Total, peak"]);
    expect(chart.max).toBeGreaterThan(9);
    expect(draw({ part }).bands).toHaveLength(3);
    // Those of all are not those of what is shown.
    expect(draw({ whole: part, part: null, view }).bands).toHaveLength(3);
    expect(kinds(draw({ part: { ...part, limits: [] } }))).toEqual(["peak: Total, peak"]);
  });

  it("takes all that is drawn from one answer", () => {
    const part = newConcurrency([newSeries("call", [1, 2, 3, 4], 5)]);
    const chart = draw({ part, view: { ...all, only: ["call"] } });
    expect(chart.buckets.count).toBe(4);
    expect(chart.bands).toEqual([{ name: "call", values: [1, 2, 3, 4] }]);
    expect(chart.totals.map(({ values }) => values.length)).toEqual([4, 4]);
  });

  it("tells the limit that was in force", () => {
    const limits = [
      limit("workflow", null, [
        ["2022-05-13T03:20:30Z", 8],
        ["2022-05-13T03:22:00Z", null],
      ]),
      limit("array", "call", [["2022-05-13T03:00:00Z", 5]]),
    ];
    const chart = draw({ part: { ...whole, limits } });
    expect(chart.limit).toMatchObject({ label: "Limit of the workflow", above: false });
    expect(chart.totals.at(-1)?.name).toBe("Limit");
    expect([...Array.from(chart.totals.at(-1)?.values ?? [])]).toEqual([NaN, 8, NaN]);
    const call = draw({ part: { ...whole, limits }, view: { ...all, only: ["call"] } });
    expect(call.limit?.label).toBe("Limit of call");
    expect(draw({ part: { ...whole, limits }, view: { ...all, limits: false } }).limit).toBeNull();
    expect(draw({ part: { ...whole, limits }, view: { ...all, status: "DONE" } }).limit).toBeNull();
    const high = [limit("workflow", null, [["2022-05-13T03:00:00Z", 5000]])];
    expect(draw({ part: { ...whole, limits: high } })).toMatchObject({ limit: { above: true } });
    expect(draw({ part: { ...whole, limits: high } }).max).toBeLessThan(10);
  });

  it("tells attempts apart by name", () => {
    const series = [
      { ...newSeries("call", [1, 1, 1]), attempts: "first" as const },
      { ...newSeries("call", [0, 1, 0]), attempts: "later" as const },
    ];
    const chart = draw({ whole: newConcurrency(series), view: { ...all, split: true } });
    expect(chart.bands.map((band) => band.name)).toEqual(["call (later attempts)", "call"]);
  });

  it("has room for the peak of one template before its own answer is there", () => {
    const chart = draw({ part: null, view: { ...all, only: ["call"] } });
    expect(chart.max).toBeGreaterThan(4);
    expect(chart.max).toBeLessThan(7);
  });

  it("draws nothing of a template that is not in the window", () => {
    expect(draw({ part: null, view: { ...all, only: ["gone"] } }).bands).toEqual([]);
  });
});

function limit(
  scope: ConcurrencyLimit["scope"],
  template: string | null,
  steps: [from: string, value: number | null][],
): ConcurrencyLimit {
  return {
    scope,
    task_template_name: template,
    steps: steps.map(([from, max_concurrently_running]) => ({ from, max_concurrently_running })),
    at_limit_seconds: 30,
    at_limit_share: 0.25,
    at_limit_resolution_seconds: 0,
  };
}

describe("summaryOf", () => {
  it("takes the mean over the window", () => {
    const summary = summaryOf(whole);
    expect(summary.seconds).toBe(180);
    expect(summary.mean).toBeCloseTo(whole.total.task_seconds / 180);
    expect(summary.top).toMatchObject({ name: "call" });
  });

  it("leaves out of the mean what has not happened yet", () => {
    const partial = {
      ...whole,
      partial_from: "2022-05-13T03:22:00Z",
      generated_at: "2022-05-13T03:22:30Z",
    };
    expect(summaryOf(partial).seconds).toBe(150);
  });

  it("knows for how long the limit was reached", () => {
    const limits = [limit("workflow", null, [["2022-05-13T03:00:00Z", 8]])];
    expect(summaryOf({ ...whole, limits }).limit).toEqual({
      value: 8,
      seconds: 30,
      share: 0.25,
      resolution: 0,
    });
    const none = [limit("workflow", null, [["2022-05-13T03:00:00Z", null]])];
    expect(summaryOf({ ...whole, limits: none }).limit).toBeNull();
  });

  it("is all zeros where nothing ran", () => {
    const none = newConcurrency([newSeries("align", [0, 0])]);
    expect(summaryOf(none)).toMatchObject({ peak: 0, mean: 0, top: null });
  });
});
