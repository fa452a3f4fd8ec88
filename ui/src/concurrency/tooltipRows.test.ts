import { describe, expect, it } from "vitest";
import { tooltipRows } from "./tooltipRows";

const rows = [3, 0, 1, 0.5, 2].map((value, i) => ({ name: `t${i}`, values: [0, value] }));

describe("tooltipRows", () => {
  it("tells all rows where there is room, and zeros too", () => {
    expect(tooltipRows(rows, 1, 5)).toEqual({ told: Array(5).fill(true), others: "" });
  });

  it("leaves out zeros where there is not, and says how many", () => {
    expect(tooltipRows(rows, 1, 4)).toEqual({
      told: [true, false, true, true, true],
      others: "1 more with none",
    });
  });

  it("tells the largest, and the sum of the rest", () => {
    expect(tooltipRows(rows, 1, 2)).toEqual({
      told: [true, false, false, false, true],
      others: "2 more, together 1.5; 1 more with none",
    });
    expect(tooltipRows(rows, 0, 2).others).toBe("5 more with none");
  });
});
