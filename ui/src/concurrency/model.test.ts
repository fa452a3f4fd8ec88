import { describe, expect, it } from "vitest";
import { newConcurrency, newSeries } from "../test/factories/concurrency";
import { chartOf, isolate, legendOf, selection, summaryOf, toggle } from "./model";
import type { View } from "./view";

const all: View = { timeRange: null, granularity: "auto", isolated: null, muted: [] };
const names = ["align", "call", "merge"];
const whole = newConcurrency([
  newSeries("align", [1, 2.5, 0], 4),
  newSeries("call", [0, 4, 3.25], 6),
  newSeries("merge", [0, 0, 1], 1),
]);

describe("choosing templates", () => {
  it("isolates, and ends the isolation with the same click", () => {
    const one = { ...all, ...isolate({ ...all, muted: ["align"] }, "call") };
    expect(one).toMatchObject({ isolated: "call", muted: [] });
    expect(isolate(one, "call")).toEqual({ isolated: null, muted: [] });
    expect(isolate(one, "align")).toMatchObject({ isolated: "align" });
  });

  it("mutes and shows again", () => {
    const muted = { ...all, ...toggle(all, names, "call") };
    expect(muted.muted).toEqual(["call"]);
    expect(toggle(muted, names, "call")).toMatchObject({ muted: [] });
  });

  it("adds a template to an isolated one", () => {
    const view = { ...all, isolated: "call" };
    expect(toggle(view, names, "align")).toEqual({ isolated: null, muted: ["merge"] });
  });

  it("shows all rather than nothing", () => {
    expect(toggle({ ...all, isolated: "call" }, names, "call")).toMatchObject({ muted: [] });
  });

  it("asks for a total of its own only where some templates are hidden", () => {
    expect(selection(all, whole)).toEqual([]);
    expect(selection({ ...all, isolated: "call" }, undefined)).toEqual(["call"]);
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
  it("stacks what is shown", () => {
    const chart = chartOf(whole, whole, { ...all, muted: ["align"] });
    expect(chart.bands.map((band) => band.name)).toEqual(["merge", "call"]);
    expect([...chart.sums]).toEqual([0, 4, 4.25]);
  });

  it("has room for the peak of one template before its own answer is there", () => {
    const chart = chartOf(whole, null, { ...all, isolated: "call" });
    expect(chart.max).toBeGreaterThan(6);
    expect(chart.max).toBeLessThan(7);
  });

  it("draws nothing of a template that is not in the window", () => {
    expect(chartOf(whole, null, { ...all, isolated: "gone" }).bands).toEqual([]);
  });
});

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

  it("is all zeros where nothing ran", () => {
    const none = newConcurrency([newSeries("align", [0, 0])]);
    expect(summaryOf(none)).toMatchObject({ peak: 0, mean: 0, top: null });
  });
});
