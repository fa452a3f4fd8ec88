import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import { answer, answerPuts, puts, requests, type Answers } from "../test/api";
import { newSuspect, newSuspectList, newTaskAt, newTaskAtList } from "../test/factories/tasks";
import { newWorkflow } from "../test/factories/workflow";
import { renderAt } from "../test/render";

vi.mock("../api/client", async (original) => ({
  ...(await original<object>()),
  getJSON: vi.fn(),
  putJSON: vi.fn(),
}));

const address = "/workflows/1/tasks";
const path = "api/v2/workflow/1/tasks";
const running = newWorkflow({ status: "R", status_name: "RUNNING", active: true });
const live = newTaskAt({ id: 44, name: "call_1", until: null, total_seconds: null });

function open(change: Answers = {}, at = address) {
  answer({
    "api/v2/workflows/1": () => running,
    "api/v2/workflow/1/task_templates": () => ({ task_templates: ["align", "call"] }),
    "api/v2/workflow/1/suspects": () => newSuspectList(),
    [path]: () => newTaskAtList([newTaskAt(), live]),
    ...change,
  });
  return renderAt(at);
}

async function firstRow() {
  const table = await screen.findByRole("table", { name: "Tasks", busy: false });
  return within(table).getAllByRole("row")[1];
}

describe("the tasks of a workflow", () => {
  it("lists what runs now, and says how many there are", async () => {
    open();
    expect(await firstRow()).toHaveTextContent(
      /align_7alignRunning2022-05-13 03:23:001 min 15 s2022-05-13 03:25:30.5after 2 min 31 s2node-17/,
    );
    expect(
      screen.getByText(/had the status running at 2022-05-13 03:24:14.803 UTC/),
    ).toHaveTextContent(/^2 tasks/);
    expect(requests(path)).toEqual([{ status: ["R"] }]);
    expect(screen.getByRole("link", { name: "align_7" })).toHaveAttribute("href", "/tasks/42");
    expect(screen.queryByRole("navigation", { name: "Pages" })).not.toBeInTheDocument();
  });

  it("lists every task where nothing runs any more", async () => {
    open({ "api/v2/workflows/1": () => newWorkflow() });
    await firstRow();
    expect(requests(path)[0].status).toHaveLength(9);
    expect(screen.getByRole("combobox", { name: "Status" })).toHaveTextContent("Any status");
  });

  it("asks for what the address says, and for another page", async () => {
    const at = "2022-05-13T03:24:14.803Z";
    const query = `?status=PENDING&template=align&at=${at}`;
    const { location, back } = open(
      {
        [path]: ({ cursor }) =>
          newTaskAtList([newTaskAt({ name: cursor === "c2" ? "second" : "first" })], {
            next_cursor: cursor === "c2" ? null : "c2",
            level: 2,
          }),
      },
      address + query,
    );
    await userEvent.click(await screen.findByRole("button", { name: "Next page" }));
    expect(await screen.findByRole("link", { name: "second" })).toBeVisible();
    expect(location()).toBe(`${address}${query.replaceAll(":", "%3A")}&cursor=c2`);
    expect(requests(path).at(-1)).toEqual({
      status: ["PENDING"],
      task_template_name: ["align"],
      at,
      cursor: "c2",
    });
    expect(screen.getByRole("button", { name: "Next page" })).toBeDisabled();
    back();
    expect(await screen.findByRole("link", { name: "first" })).toBeVisible();
  });

  it("is filtered by status, template and instant, each time from the first page on", async () => {
    const { location } = open({}, `${address}?cursor=c2`);
    await firstRow();
    await userEvent.click(screen.getByRole("combobox", { name: "Status" }));
    await userEvent.click(screen.getByRole("option", { name: "Error fatal" }));
    expect(location()).toBe(`${address}?status=F`);
    await userEvent.type(screen.getByRole("combobox", { name: "Template" }), "cal");
    await userEvent.click(await screen.findByRole("option", { name: "call" }));
    expect(location()).toBe(`${address}?status=F&template=call`);
    await userEvent.keyboard("{Escape}");
    await userEvent.type(screen.getByRole("textbox", { name: "At (UTC)" }), "2022-05-13 3{Enter}");
    expect(screen.getByText("Write it like 2022-05-13 03:24:14")).toBeVisible();
    await userEvent.clear(screen.getByRole("textbox", { name: "At (UTC)" }));
    await userEvent.type(
      screen.getByRole("textbox", { name: "At (UTC)" }),
      "2022-05-13 03:24{Enter}",
    );
    await waitFor(() =>
      expect(requests(path).at(-1)).toEqual({
        status: ["F"],
        task_template_name: ["call"],
        at: "2022-05-13T03:24:00Z",
      }),
    );
    expect(screen.getByRole("textbox", { name: "At (UTC)" })).toHaveFocus();
    await userEvent.click(screen.getByRole("button", { name: "Now" }));
    expect(location()).toBe(`${address}?status=F&template=call`);
  });

  it("says that no task was there, and offers the others", async () => {
    const { location } = open({ [path]: () => newTaskAtList([]) });
    expect(
      await screen.findByText("No task had the status running at 2022-05-13 03:24:14.803 UTC"),
    ).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Show tasks in any status" }));
    expect(location()).toBe(`${address}?status=ANY`);
  });

  it("tells the server's refusal of an instant", async () => {
    const refusal = new ApiError("invalid", "Tasks are listed from 2022 on.", 400, "at");
    open({ [path]: () => refusal }, `${address}?at=1999-01-01T00:00:00Z`);
    expect(await screen.findByRole("alert")).toHaveTextContent(
      "Tasks are listed from 2022 on. (parameter: at)",
    );
  });
});

describe("suspects", () => {
  it("are flagged above the list, with how many, since when and why", async () => {
    const ended = newSuspect({
      id: 50,
      name: "call_9",
      reason: "run_ended",
      workflow_run: {
        ...newSuspect().workflow_run,
        status: "T",
        status_name: "TERMINATED",
        status_at: "2022-05-13T03:40:00Z",
      },
    });
    open({
      "api/v2/workflow/1/suspects": () =>
        newSuspectList([newSuspect(), ended], { count: 120, next_cursor: "s2" }),
    });
    const section = await screen.findByRole("region", { name: "Suspects" });
    expect(section).toHaveTextContent("120 tasks count as active and may not be");
    expect(section).toHaveTextContent("since 2022-05-13 03:30:00 UTC");
    await userEvent.click(within(section).getByRole("button", { name: "Show" }));
    const table = within(section).getByRole("table", { name: "Suspects" });
    expect(table).toHaveTextContent(
      "Workflow run 5 should have been heard of by 2022-05-13 03:30:00 UTC",
    );
    expect(table).toHaveTextContent("Workflow run 5 ended, terminated, at 2022-05-13 03:40:00 UTC");
    await userEvent.click(within(section).getByRole("button", { name: "Next page" }));
    await waitFor(() =>
      expect(requests("api/v2/workflow/1/suspects").at(-1)).toEqual({ cursor: "s2" }),
    );
  });
});

describe("setting the status of tasks", () => {
  async function ask() {
    await firstRow();
    await userEvent.click(screen.getByRole("checkbox", { name: "Choose all on this page" }));
    await userEvent.click(screen.getByRole("checkbox", { name: "Choose align_7" }));
    expect(screen.getByText("1 task chosen")).toBeVisible();
    await userEvent.click(screen.getByRole("checkbox", { name: "Choose align_7" }));
    await userEvent.click(screen.getByRole("button", { name: "Set status…" }));
    return screen.getByRole("dialog", { name: "Set the status of these 2 tasks" });
  }

  it("says what it will do, does it once it is told to, and refreshes the list", async () => {
    open();
    answerPuts(() => ({ message: "2 tasks of workflow 1 moved to REGISTERING" }));
    const dialog = await ask();
    expect(within(dialog).getByRole("button", { name: "Set" })).toBeDisabled();
    await userEvent.click(within(dialog).getByRole("radio", { name: /^REGISTERING/ }));
    expect(dialog).toHaveTextContent("2 tasks: 2 running.");
    expect(dialog).toHaveTextContent("those that still run are told to stop");
    expect(dialog).toHaveTextContent("No other task is changed.");
    await userEvent.click(
      within(dialog).getByRole("checkbox", { name: /every task that comes after/ }),
    );
    expect(dialog).toHaveTextContent("How many tasks recursion adds");
    expect(puts()).toEqual([]);
    const before = requests(path).length;
    await userEvent.click(
      within(dialog).getByRole("button", { name: "Set 2 tasks to REGISTERING" }),
    );
    expect(await screen.findByText("2 tasks of workflow 1 moved to REGISTERING")).toBeVisible();
    expect(puts()).toEqual([
      [
        "api/v3/task/update_statuses",
        { workflow_id: 1, task_ids: [42, 44], new_status: "G", recursive: true },
      ],
    ]);
    await waitFor(() => expect(requests(path).length).toBeGreaterThan(before));
    await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  });

  it("shows the server's refusal as it is, and stays open", async () => {
    open();
    answerPuts(() => new ApiError("conflict", "Stop the workflow first.", 409));
    const dialog = await ask();
    await userEvent.click(within(dialog).getByRole("radio", { name: /^DONE/ }));
    await userEvent.click(within(dialog).getByRole("button", { name: "Set 2 tasks to DONE" }));
    expect(await within(dialog).findByRole("alert")).toHaveTextContent("Stop the workflow first.");
    await userEvent.click(within(dialog).getByRole("button", { name: "Cancel" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
    expect(puts()).toHaveLength(1);
  });

  it("is not offered for tasks as they were at another time", async () => {
    open({}, `${address}?at=2022-05-13T03:24:14.803Z`);
    await firstRow();
    expect(screen.queryByRole("checkbox")).not.toBeInTheDocument();
  });
});
