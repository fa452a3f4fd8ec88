import { describe, expect, it } from "vitest";
import { newSuspectGroup } from "../test/factories/tasks";
import { suspectsAtEnd, suspectsIn, suspectsWords } from "./suspects";

const first = Date.parse("2022-05-13T03:20:00Z");
/** Four minutes, of which the third is half over and the last has not begun. */
const buckets = { first, width: 60_000, count: 4, end: first + 150_000 };

const since = (instant: string, count = 1) => newSuspectGroup({ since: instant, count });

describe("suspectsIn", () => {
  it("weighs them by the part of the bucket that is over", () => {
    const groups = [since("2022-05-13T03:21:45Z", 2), since("2022-05-13T03:22:20Z")];
    expect([...suspectsIn(groups, buckets, "mean")]).toEqual([0, 0.5, 2.33, 0]);
  });

  it("counts those that began before the window in every bucket", () => {
    const groups = [since("2022-05-12T00:00:00Z", 3)];
    for (const stat of ["mean", "peak", "start"] as const) {
      expect([...suspectsIn(groups, buckets, stat)]).toEqual([3, 3, 3, 0]);
    }
  });

  it("has most of them at a bucket's end, and at its start only those that were there by then", () => {
    const groups = [since("2022-05-13T03:21:00Z"), since("2022-05-13T03:21:59.999Z", 4)];
    expect([...suspectsIn(groups, buckets, "peak")]).toEqual([0, 5, 5, 0]);
    expect([...suspectsIn(groups, buckets, "start")]).toEqual([0, 1, 5, 0]);
  });

  it("knows nothing of those that begin after what is drawn", () => {
    const groups = [since("2022-05-13T03:22:30Z"), since("2022-05-13T03:50:00Z")];
    expect([...suspectsIn(groups, buckets, "mean")]).toEqual([0, 0, 0, 0]);
    expect(suspectsAtEnd([...groups, since("2022-05-13T03:22:29.9Z", 7)], buckets)).toBe(7);
  });
});

describe("suspectsWords", () => {
  it("says how many are not drawn", () => {
    expect(suspectsWords({ count: 1, notDrawn: 0 })).toBe(
      "Suspect: 1 task whose run has ended or is lost",
    );
    expect(suspectsWords({ count: 1_200, notDrawn: 1_000 })).toBe(
      "Suspect: 1,200 tasks whose run has ended or is lost, and 1,000 more that are not drawn",
    );
  });
});
