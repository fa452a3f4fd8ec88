import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import type { TaskStatusChangeList } from "../api/types";
import { answer, requests } from "../test/api";
import { newChange, newChangeList } from "../test/factories/tasks";
import { newWorkflow } from "../test/factories/workflow";
import { renderAt } from "../test/render";

vi.mock("../api/client", async (original) => ({ ...(await original<object>()), getJSON: vi.fn() }));

const address = "/workflows/1/audit";
const path = "api/v2/workflow/1/task_status_changes";

function open(page: (cursor: unknown) => TaskStatusChangeList | Error, query = "") {
  answer({
    "api/v2/workflows/1": () => newWorkflow(),
    "api/v2/workflow/1/task_templates": () => ({ task_templates: ["align", "call"] }),
    [path]: ({ cursor }) => page(cursor),
  });
  return renderAt(address + query);
}

describe("the audit of a workflow", () => {
  it("shows each change, the newest first", async () => {
    const created = newChange({
      id: 1,
      previous_status: null,
      new_status: "G",
      previous_at: null,
      duration_seconds: null,
    });
    open(() => newChangeList([newChange(), created], { rows_from: "2022-05-01T00:00:00Z" }));
    const table = await screen.findByRole("table", { name: "Changes of status", busy: false });
    const [, first, second] = within(table).getAllByRole("row");
    expect(first).toHaveTextContent(
      "2022-05-13 03:25:30.500127align_7alignRunning2 min 31 sDone2022-05-14 00:00:00",
    );
    expect(second).toHaveTextContent("is new–Registering");
    expect(requests(path)[0]).toEqual({ order: "desc" });
    expect(screen.getByText("Changes before 2022-05-01 00:00:00 UTC are removed.")).toBeVisible();
  });

  it("is filtered, and the address says how", async () => {
    const { location } = open(() => newChangeList());
    await screen.findByRole("table", { busy: false });
    await userEvent.click(screen.getByRole("combobox", { name: "Entered" }));
    await userEvent.click(screen.getByRole("option", { name: "Done" }));
    await userEvent.click(screen.getByRole("option", { name: "Error fatal" }));
    await userEvent.keyboard("{Escape}");
    await userEvent.type(screen.getByRole("textbox", { name: "Task id" }), "0a42{Enter}");
    await userEvent.type(screen.getByRole("textbox", { name: "From (UTC)" }), "2022-05-13{Enter}");
    await userEvent.click(screen.getByRole("button", { name: "At (UTC)" }));
    expect(location()).toBe(
      `${address}?to=D&to=F&task=42&start=2022-05-13T00%3A00%3A00Z&order=asc`,
    );
    await waitFor(() =>
      expect(requests(path).at(-1)).toEqual({
        order: "asc",
        start: "2022-05-13T00:00:00Z",
        task_id: 42,
        new_status: ["D", "F"],
      }),
    );
    await userEvent.click(screen.getByRole("button", { name: "Clear" }));
    expect(location()).toBe(address);
    expect(screen.getByRole("textbox", { name: "Task id" })).toHaveValue("");
  });

  it("says that an empty page is not the last, and goes on", async () => {
    const { location } = open(
      (cursor) => (cursor === "c2" ? newChangeList() : newChangeList([], { next_cursor: "c2" })),
      "?to=F",
    );
    expect(await screen.findByText("Nothing was found so far")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Next page" }));
    expect(location()).toBe(`${address}?to=F&cursor=c2`);
    expect(await screen.findByRole("link", { name: "align_7" })).toBeVisible();
  });

  it("says that a short page is not the last", async () => {
    open(() => newChangeList([newChange()], { next_cursor: "c2" }));
    expect(await screen.findByText(/This page is short and not the last/)).toBeVisible();
  });

  it.each([
    ["", "No task has changed its status yet"],
    ["?from=R", "No change matches"],
  ])("says that there is nothing at %j", async (query, words) => {
    open(() => newChangeList([]), query);
    expect(await screen.findByText(words)).toBeVisible();
  });

  it("tells why it failed", async () => {
    open(() => new ApiError("invalid", "The start is not an instant.", 400, "start"), "?start=x");
    expect(await screen.findByRole("alert")).toHaveTextContent("The start is not an instant.");
    expect(screen.getByRole("textbox", { name: "From (UTC)" })).toHaveValue("x");
  });
});
