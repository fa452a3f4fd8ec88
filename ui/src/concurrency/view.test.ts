import { describe, expect, it } from "vitest";
import { newWorkflow } from "../test/factories/workflow";
import {
  granularitySeconds,
  openingRange,
  parseView,
  rangeSeconds,
  withView,
  type View,
} from "./view";

const nothing: View = { timeRange: null, granularity: "auto", isolated: null, muted: [] };

describe("the view in the URL", () => {
  it("comes back as it was written", () => {
    const view: View = {
      timeRange: "6h",
      granularity: "10s",
      isolated: null,
      muted: ["a&b=c", "ünï"],
    };
    const written = withView(new URLSearchParams(), view).toString();
    expect(parseView(new URLSearchParams(written))).toEqual(view);
  });

  it("is empty where nothing was chosen", () => {
    expect(parseView(new URLSearchParams())).toEqual(nothing);
    expect(withView(new URLSearchParams("range=1h&bucket=1s"), nothing).toString()).toBe("");
  });

  it("takes no choice that there is not", () => {
    expect(parseView(new URLSearchParams("range=2y&bucket=7s"))).toEqual(nothing);
  });

  it("leaves other parameters alone", () => {
    const params = withView(new URLSearchParams("tab=x&range=1h"), { isolated: "align" });
    expect(params.toString()).toBe("tab=x&range=1h&template=align");
  });
});

describe("openingRange", () => {
  const ended = "2022-05-13T03:44:09.203000Z";
  const hour = 3_600_000;

  it("is all of a run that has ended", () => {
    const workflow = newWorkflow({ status: "D", last_transition_at: ended });
    expect(openingRange(workflow, Date.parse(ended) + 25 * hour)).toBe("all");
    expect(openingRange(workflow, Date.parse(ended))).toBe("all");
  });

  it("is the last day of one that goes on, and all of it while that is shorter", () => {
    const first = "2022-05-13T03:02:26.406000Z";
    for (const goesOn of [{ active: true }, { active: false, status: "R" } as const]) {
      const workflow = newWorkflow({ ...goesOn, first_transition_at: first });
      expect(openingRange(workflow, Date.parse(first) + 25 * hour)).toBe("24h");
      expect(openingRange(workflow, Date.parse(first) + 23 * hour)).toBe("all");
    }
    expect(openingRange(newWorkflow({ active: true, first_transition_at: null }), 0)).toBe("all");
  });
});

describe("lengths", () => {
  it("knows the buckets'", () => {
    expect(granularitySeconds("30s")).toBe(30);
    expect(granularitySeconds("10m")).toBe(600);
    expect(granularitySeconds("1d")).toBe(86_400);
  });

  it("knows the ranges': all ends at the last transition, or now while a task is active", () => {
    const first_transition_at = "2022-05-13T03:00:00Z";
    const last_transition_at = "2022-05-13T03:44:00Z";
    const now = Date.parse("2022-05-13T05:00:00Z");
    const run = { first_transition_at, last_transition_at };
    expect(rangeSeconds("all", newWorkflow(run), now)).toBe(44 * 60);
    expect(rangeSeconds("all", newWorkflow({ ...run, active: true }), now)).toBe(7200);
    expect(rangeSeconds("7d", newWorkflow(run), now)).toBe(604_800);
  });
});
