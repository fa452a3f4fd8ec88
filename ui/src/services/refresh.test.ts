import { describe, expect, it } from "vitest";
import { refreshMs, refreshOf } from "./refresh";

describe("refreshOf", () => {
  it("is half a minute, and less for a window in which that is much", () => {
    expect(refreshOf(24 * 3_600_000)).toBe(refreshMs);
    expect(refreshOf(10 * 60_000)).toBe(10_000);
    expect(refreshOf(5_000)).toBe(2_000);
  });
});
