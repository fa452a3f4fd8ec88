import { describe, expect, it } from "vitest";
import { auditQuery, isFiltered, parseAuditView } from "./query";

function view(query: string) {
  return parseAuditView(new URLSearchParams(query));
}

describe("the audit's query", () => {
  it("asks for all of it, the newest first, unless told otherwise", () => {
    expect(auditQuery(view(""), "")).toEqual({ order: "desc" });
    expect(isFiltered(view("order=asc&cursor=x"))).toBe(false);
  });

  it("asks for what the URL says", () => {
    const chosen = view(
      "start=2022-05-13T03:00:00Z&end=soon&task=7&template=a&template=b&from=R&to=F&to=D&order=asc",
    );
    expect(auditQuery(chosen, "c2")).toEqual({
      order: "asc",
      start: "2022-05-13T03:00:00Z",
      end: "soon",
      task_id: 7,
      task_template_name: ["a", "b"],
      previous_status: ["R"],
      new_status: ["D", "F"],
      cursor: "c2",
    });
    expect(isFiltered(chosen)).toBe(true);
  });

  it("does not ask for a task that cannot be, nor for statuses that there are not", () => {
    expect(auditQuery(view("task=x&from=Y"), "")).toEqual({ order: "desc" });
  });
});
