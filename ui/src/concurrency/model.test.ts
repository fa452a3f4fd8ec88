import { describe, expect, it } from "vitest";
import { newConcurrency, newSeries } from "../test/factories/concurrency";
import { newSuspectGroup, newSuspectList } from "../test/factories/tasks";
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
    ];
    const part = { ...whole, limits };
    const chart = draw({ part });
    expect(chart.limits).toMatchObject([{ name: "Limit", of: null, above: false }]);
    expect(chart.totals.at(-1)?.name).toBe("Limit");
    expect([...Array.from(chart.totals.at(-1)?.values ?? [])]).toEqual([NaN, 8, NaN]);
    expect(draw({ part, view: { ...all, limits: false } }).limits).toEqual([]);
    expect(draw({ part, view: { ...all, status: "DONE" } }).limits).toEqual([]);
    const high = [limit("workflow", null, [["2022-05-13T03:00:00Z", 5000]])];
    expect(draw({ part: { ...whole, limits: high } })).toMatchObject({ limits: [{ above: true }] });
    expect(draw({ part: { ...whole, limits: high } }).max).toBeLessThan(10);
  });

  it("tells the limits of arrays beside their templates, and draws that of one that is alone", () => {
    const limits = [
      limit("workflow", null, [["2022-05-13T03:00:00Z", 8]]),
      limit("array", "align", [["2022-05-13T03:00:00Z", 8]]),
      limit("array", "call", [
        ["2022-05-13T03:00:00Z", 5],
        ["2022-05-13T03:21:00Z", 6],
      ]),
      limit("array", "merge", [["2022-05-13T03:00:00Z", 1]]),
      limit("array", "merge", [["2022-05-13T03:00:00Z", 2]]),
    ];
    const part = { ...whole, limits };
    const limitsOf = (chart: Chart) =>
      chart.rows.map((row) => [row.name, row.limit && [...Array.from(row.limit)]]);
    const chart = draw({ part });
    expect(chart.limits.map(({ of }) => of)).toEqual([null]);
    // What is no lower than the workflow's holds nothing back, and one of two arrays is not the template's.
    expect(limitsOf(chart)).toEqual([
      ["call", [5, 6, 6]],
      ["align", undefined],
      ["merge", undefined],
    ]);
    expect(limitsOf(draw({ part, view: { ...all, limits: false } }))[0][1]).toBeUndefined();
    const call = draw({ part, view: { ...all, only: ["call"] } });
    expect(call.limits.map(({ name, of }) => [name, of])).toEqual([
      ["Limit", null],
      ["Limit of call", "call"],
    ]);
    expect(call.totals.map(({ name }) => name).slice(-2)).toEqual(["Limit", "Limit of call"]);
    expect(legendOf(part, all).map((entry) => [entry.name, entry.limit?.value])).toEqual([
      ["call", 6],
      ["align", undefined],
      ["merge", undefined],
    ]);
  });

  it("tells how much of each template is suspect, and of what is shown", () => {
    const groups = [
      newSuspectGroup({ count: 2 }),
      newSuspectGroup({ task_template_name: "call", since: "2022-05-13T03:22:15Z" }),
      newSuspectGroup({ task_template_name: "call", status: "Q" }),
      newSuspectGroup({ task_template_name: "small" }),
    ];
    const suspects = newSuspectList([], { groups });
    const suspectOf = (chart: Chart) =>
      Object.fromEntries(
        chart.rows.map((row) => [row.name, row.suspect && [...Array.from(row.suspect)]]),
      );
    const chart = draw({ suspects });
    expect(suspectOf(chart)).toEqual({
      call: [0, 0, 0.75],
      align: [0, 1, 2],
      merge: undefined,
    });
    expect(chart.suspects).toEqual({ count: 3, notDrawn: 0 });
    expect(chart.totals.at(-1)).toMatchObject({ name: "Suspect, mean" });
    expect([...Array.from(chart.totals.at(-1)?.values ?? [])]).toEqual([0, 1, 2.75]);

    const alone = draw({ suspects, view: { ...all, only: ["merge"] } });
    expect(alone.suspects).toBeNull();
    expect(alone.totals.map(({ name }) => name)).toEqual(["Total, mean", "Total, peak"]);
    const active = draw({ suspects, whole: { ...whole, statuses: ["Q", "I", "O", "R"] } });
    expect(active.suspects?.count).toBe(4);
    const split = draw({
      suspects,
      whole: newConcurrency([
        { ...newSeries("align", [1, 1, 1]), attempts: "first" },
        { ...newSeries("align", [0, 1, 0]), attempts: "later" },
      ]),
    });
    expect(suspectOf(split)).toEqual({ align: [0, 1, 2], "align (later attempts)": undefined });
    const other = {
      templates: 2,
      values: [1, 1, 1],
      values_are: "exact" as const,
      peak: 1,
      peak_at: null,
      peak_is: "exact" as const,
      task_seconds: 180,
    };
    expect(suspectOf(draw({ suspects, whole: { ...whole, other } }))).toMatchObject({
      "Other (2 templates)": [0, 0.5, 1],
    });
    const unknown = newSuspectList([], { groups: [], ungrouped: 7 });
    expect(draw({ suspects: unknown }).suspects).toEqual({ count: 0, notDrawn: 7 });
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
    const summary = summaryOf(whole, null);
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
    expect(summaryOf(partial, null).seconds).toBe(150);
  });

  it("knows for how long the limits were reached", () => {
    const limits = [
      limit("workflow", null, [["2022-05-13T03:00:00Z", 8]]),
      { ...limit("array", "call", [["2022-05-13T03:00:00Z", 5]]), at_limit_seconds: null },
    ];
    const reached = { seconds: 30, share: 0.25, resolution: 0 };
    const answer = { ...whole, limits };
    expect(summaryOf(answer, null).limits).toEqual([{ template: null, value: 8, reached }]);
    expect(summaryOf(answer, "call").limits).toEqual([
      { template: null, value: 8, reached },
      { template: "call", value: 5, reached: null },
    ]);
    const none = [limit("workflow", null, [["2022-05-13T03:00:00Z", null]])];
    expect(summaryOf({ ...whole, limits: none }, null).limits).toEqual([]);
  });

  it("is all zeros where nothing ran", () => {
    const none = newConcurrency([newSeries("align", [0, 0])]);
    expect(summaryOf(none, null)).toMatchObject({ peak: 0, mean: 0, top: null });
  });
});
