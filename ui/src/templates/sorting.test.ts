import { describe, expect, it } from "vitest";
import { newTemplateStats } from "../test/factories/templates";
import { byName, nextSort, parseSort, sortTemplates, tasksOf, writeSort } from "./sorting";

const templates = [
  newTemplateStats({ task_template_name: "sort_10", attempts: 5, retries: null }),
  newTemplateStats({ task_template_name: "sort_2", attempts: 9, retries: 4 }),
  newTemplateStats({ task_template_name: "align", attempts: 5, retries: 7, runs: null }),
];

function names(text: string) {
  return sortTemplates(templates, parseSort(text)).map((stats) => stats.task_template_name);
}

describe("sortTemplates", () => {
  it("orders by name as a person would, and leaves what it was given as it was", () => {
    expect(names("name")).toEqual(["align", "sort_2", "sort_10"]);
    expect(names("-name")).toEqual(["sort_10", "sort_2", "align"]);
    expect(templates[0].task_template_name).toBe("sort_10");
  });

  it("orders by numbers, equals by name", () => {
    expect(names("-attempts")).toEqual(["sort_2", "align", "sort_10"]);
    expect(names("attempts")).toEqual(["align", "sort_10", "sort_2"]);
  });

  it("has what is not known last, whichever way", () => {
    expect(names("retries")).toEqual(["sort_2", "align", "sort_10"]);
    expect(names("-retries")).toEqual(["align", "sort_2", "sort_10"]);
    expect(names("-p50").at(-1)).toBe("align");
    expect(names("p50").at(-1)).toBe("align");
  });
});

it("adds up the tasks of all statuses", () => {
  expect(tasksOf(newTemplateStats({ tasks: { R: 2, D: 3 } }))).toBe(5);
});

it("reads and writes the URL's order", () => {
  for (const text of ["p50", "-p50", "-name", "retries"]) {
    expect(writeSort(parseSort(text))).toBe(text);
  }
  for (const text of [null, "", "-", "toString", "name"]) {
    expect(parseSort(text)).toEqual(byName);
  }
  expect(writeSort(byName)).toBeNull();
});

it("turns the order at a second click, and begins with the largest number", () => {
  const once = nextSort(byName, "attempts");
  expect(once).toEqual({ by: "attempts", descending: true });
  expect(nextSort(once, "attempts")).toEqual({ by: "attempts", descending: false });
  expect(nextSort(once, "name")).toEqual(byName);
});
