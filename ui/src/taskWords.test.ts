import { expect, it } from "vitest";
import {
  barOrder,
  countsOf,
  countWords,
  isFinal,
  progressWords,
  statusWords,
  taskStatuses,
  tasksWords,
} from "./taskWords";

it("writes a status as words", () => {
  expect(statusWords("ERROR_FATAL")).toBe("Error fatal");
  expect(statusWords("RUNNING")).toBe("Running");
});

it("lists the statuses that have tasks, what is over first", () => {
  const counts = countsOf({ F: 1, D: 0, R: 2, G: 3 });
  expect(counts.map(({ status }) => status)).toEqual(["F", "R", "G"]);
  expect(countWords(counts)).toBe("1 error fatal, 2 running, 3 registering");
  expect(countsOf({})).toEqual([]);
  expect(new Set(barOrder)).toEqual(new Set(taskStatuses));
});

it("says how far a workflow is", () => {
  expect(progressWords({ D: 1204, R: 96, F: 0 })).toBe("1,204 of 1,300 done");
  expect(progressWords({ D: 1, F: 12 })).toBe("1 of 13 done, 12 failed");
  expect(progressWords({ G: 0 })).toBe("No tasks");
  expect(progressWords({})).toBe("No tasks");
});

it("knows what is final", () => {
  expect(taskStatuses.filter(isFinal)).toEqual(["D", "F"]);
});

it.each([
  [1, "1 task"],
  [2500, "2,500 tasks"],
])("writes %s tasks as %s", (count, words) => {
  expect(tasksWords(count)).toBe(words);
});
