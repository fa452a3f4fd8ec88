import { describe, expect, it } from "vitest";
import { newWorkflow } from "../test/factories/workflow";
import {
  granularitySeconds,
  opening,
  openingWindow,
  parseView,
  windowSeconds,
  withView,
  type View,
} from "./view";

const span = { start: "2022-05-13T03:00:00Z", end: "2022-05-13T04:30:15.250Z" };

describe("the view in the URL", () => {
  it.each<Partial<View>>([
    { window: "6h", granularity: "10s", muted: ["a&b=c", "ünï"] },
    { window: span, zoom: [Date.parse(span.start) + 1, Date.parse(span.end)] },
    { status: "ACTIVE", stat: "peak", form: "table", only: ["align", "call"] },
    { everyTemplate: true, split: true, pending: true, limits: false, live: false },
    { compare: 12, at: "2022-05-13T03:24:14.803Z" },
  ])("comes back as it was written: %j", (change) => {
    const written = withView(new URLSearchParams(), change).toString();
    expect(parseView(new URLSearchParams(written))).toEqual({
      view: { ...opening, ...change },
      ignored: [],
    });
  });

  it("is empty where nothing was chosen", () => {
    expect(parseView(new URLSearchParams())).toEqual({ view: opening, ignored: [] });
    expect(withView(new URLSearchParams("range=1h&bucket=1s&limits=0"), opening).toString()).toBe(
      "",
    );
  });

  it.each([
    "range=2y",
    "bucket=7s",
    "status=SLEEPING",
    "stat=median",
    "view=pie",
    "window=2022-05-13T04:00:00Z/2022-05-13T03:00:00Z",
    "window=yesterday/today",
    "zoom=2022-05-13T03:00:00Z",
    "zoom=2022-05-13T03:00:00Z/2022-05-13T04:00:00Z/x",
    "at=2022-13-45T99:00:00Z",
    "at=noon",
    "compare=-1",
    "limits=perhaps",
    "live=",
    "granularity=1m",
  ])("says which part of a link it ignored: %s", (part) => {
    const parsed = parseView(new URLSearchParams(`${part}&template=align`));
    expect(parsed).toEqual({ view: { ...opening, only: ["align"] }, ignored: [part] });
  });

  it("leaves other parameters alone", () => {
    const params = withView(new URLSearchParams("tab=x&range=1h"), { only: ["align"] });
    expect(params.toString()).toBe("tab=x&range=1h&template=align");
  });
});

describe("openingWindow", () => {
  const ended = "2022-05-13T03:44:09.203000Z";
  const hour = 3_600_000;

  it("is all of a run that has ended", () => {
    const workflow = newWorkflow({ status: "D", last_transition_at: ended });
    expect(openingWindow(workflow, Date.parse(ended) + 25 * hour)).toBe("all");
    expect(openingWindow(workflow, Date.parse(ended))).toBe("all");
  });

  it("is the last day of one that goes on, and all of it while that is shorter", () => {
    const first = "2022-05-13T03:02:26.406000Z";
    for (const goesOn of [{ active: true }, { active: false, status: "R" } as const]) {
      const workflow = newWorkflow({ ...goesOn, first_transition_at: first });
      expect(openingWindow(workflow, Date.parse(first) + 25 * hour)).toBe("24h");
      expect(openingWindow(workflow, Date.parse(first) + 23 * hour)).toBe("all");
    }
    expect(openingWindow(newWorkflow({ active: true, first_transition_at: null }), 0)).toBe("all");
  });
});

describe("lengths", () => {
  it("knows the buckets'", () => {
    expect(granularitySeconds("30s")).toBe(30);
    expect(granularitySeconds("10m")).toBe(600);
    expect(granularitySeconds("1d")).toBe(86_400);
  });

  it("knows the windows': all ends at the last transition, or now while a task is active", () => {
    const first_transition_at = "2022-05-13T03:00:00Z";
    const last_transition_at = "2022-05-13T03:44:00Z";
    const now = Date.parse("2022-05-13T05:00:00Z");
    const run = { first_transition_at, last_transition_at };
    expect(windowSeconds("all", newWorkflow(run), now)).toBe(44 * 60);
    expect(windowSeconds("all", newWorkflow({ ...run, active: true }), now)).toBe(7200);
    expect(windowSeconds("7d", newWorkflow(run), now)).toBe(604_800);
    expect(windowSeconds(span, newWorkflow(run), now)).toBe(5415.25);
  });
});
