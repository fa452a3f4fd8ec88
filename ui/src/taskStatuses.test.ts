import { describe, expect, it } from "vitest";
import { contrast, pages, type Mode } from "./charts/palette";
import { progressWords, statusCounts, taskStatuses } from "./taskStatuses";

describe("the statuses of tasks", () => {
  it.each<Mode>(["light", "dark"])("%s: every colour has 3:1 or more on its page", (mode) => {
    for (const { name, colours } of taskStatuses) {
      expect(contrast(colours[mode], pages[mode]), name).toBeGreaterThanOrEqual(3);
    }
    expect(new Set(taskStatuses.map(({ colours }) => colours[mode])).size).toBe(9);
  });

  it("leaves out those in which no task is", () => {
    const counts = statusCounts({ G: 1, R: 3, D: 0, F: 2 });
    expect(counts.map(({ status, count }) => [status.name, count])).toEqual([
      ["ERROR_FATAL", 2],
      ["RUNNING", 3],
      ["REGISTERING", 1],
    ]);
  });

  it("says how far a workflow is", () => {
    expect(progressWords({ D: 1204, R: 96, F: 0 })).toBe("1,204 of 1,300 done");
    expect(progressWords({ D: 1, F: 12 })).toBe("1 of 13 done, 12 failed");
    expect(progressWords({ G: 0 })).toBe("No tasks");
    expect(progressWords({})).toBe("No tasks");
  });
});
