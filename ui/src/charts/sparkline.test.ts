import { describe, expect, it } from "vitest";
import { stepPath, summarize } from "./sparkline";

describe("stepPath", () => {
  it("draws steps, the highest as high as there is room", () => {
    expect(stepPath([0, 4, 2], 4, 30, 8)).toBe("M0 8H10V0H20V4H30");
  });

  it("leaves out what is not known", () => {
    expect(stepPath([null, 1, null, null, 2, 1], 2, 60, 10)).toBe("M10 5H20M40 0H50V5H60");
    expect(stepPath([null, null], 0, 60, 10)).toBe("");
  });

  it("draws nothing as a line at the bottom", () => {
    expect(stepPath([0, 0], 0, 20, 10)).toBe("M0 10H10V10H20");
  });
});

describe("summarize", () => {
  const now = Date.parse("2026-01-02T10:10:00Z");

  it("tells the most and when its half hour was", () => {
    expect(summarize([null, 3, 7, 7, 0], now)).toEqual({
      max: 7,
      from: Date.parse("2026-01-02T09:00:00Z"),
      to: Date.parse("2026-01-02T09:30:00Z"),
    });
  });

  it("counts the half hour that has just begun as the last", () => {
    const begun = Date.parse("2026-01-02T10:00:00Z");
    expect(summarize([0, 1], begun)).toMatchObject({ max: 1, from: begun });
  });

  it("knows nothing of what is removed", () => {
    expect(summarize([null, null], now)).toBeNull();
  });
});
