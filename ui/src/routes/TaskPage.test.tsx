import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import type { TaskStatusHistory } from "../api/types";
import { answer, answerPuts, puts, requests } from "../test/api";
import { newAttempt, newStays, newTaskHistory } from "../test/factories/task";
import { newWorkflow } from "../test/factories/workflow";
import { renderAt } from "../test/render";

vi.mock("../api/client", async (original) => ({
  ...(await original<object>()),
  getJSON: vi.fn(),
  putJSON: vi.fn(),
}));

const path = "api/v2/task/42/status_history";

function open(task: () => TaskStatusHistory | Error) {
  answer({ "api/v2/workflows/1": () => newWorkflow(), [path]: task });
  return renderAt("/tasks/42");
}

describe("a task's page", () => {
  it("says what the task is and where it belongs", async () => {
    open(() => newTaskHistory());
    expect(await screen.findByRole("heading", { level: 1, name: "align_7" })).toBeVisible();
    expect(document.title).toBe("align_7 · Tasktide");
    expect(await screen.findByRole("link", { name: "openproblems" })).toHaveAttribute(
      "href",
      "/workflows/1",
    );
    expect(screen.getByRole("link", { name: "align" })).toHaveAttribute(
      "href",
      "/workflows/1?template=align",
    );
    expect(screen.getByText("2 of 3")).toBeVisible();
    expect(screen.getByText(/since 2022-05-13 03:03:20 UTC/)).toHaveTextContent("Done");
  });

  it("shows the history as a bar, and all of it as text", async () => {
    open(() => newTaskHistory());
    const bar = await screen.findByRole("img", { name: /^From 2022-05-13 03:00:00 UTC to/ });
    expect(bar).toHaveAccessibleName(
      /03:03:20 UTC: registering 10 s, queued 24.5 s, running 2 min 46 s, error recoverable 0 s$/,
    );
    const totals = screen.getByRole("list", { name: "Time in each status" });
    expect(totals).toHaveTextContent("Running 2 min 46 s, 82.8%");
    const table = screen.getByRole("table", { name: "Stays in statuses" });
    const rows = within(table).getAllByRole("row");
    expect(rows).toHaveLength(8);
    expect(rows[3]).toHaveTextContent("Running2022-05-13 03:00:302022-05-13 03:01:00.530.5 s1");
    expect(rows[7]).toHaveTextContent("Done2022-05-13 03:03:20ongoing–2");
  });

  it("shows the attempts with what was reported of them, and their errors in full", async () => {
    const failed = newAttempt({
      status: "E",
      status_name: "ERROR",
      nodename: null,
      requested_resources: null,
      errors: [{ at: "2022-05-13T03:01:00.5Z", description: "Killed:\n  out of memory" }],
    });
    open(() => newTaskHistory({ instances: [failed, newAttempt({ attempt: 2, id: 78 })] }));
    const first = await screen.findByRole("article", { name: "Attempt 1" });
    expect(first).toHaveTextContent("Attempt 1: error");
    expect(first).toHaveTextContent("Nodenot known");
    const text = within(first).getByRole("group", { name: /^Text of the error/ });
    expect(text.textContent).toBe("Killed:\n  out of memory");
    const second = screen.getByRole("article", { name: "Attempt 2" });
    expect(second).toHaveTextContent(/Nodenode-17.*Asked forcores 2, memory 4G.*Most memory3.1G/);
  });

  it("says what is not known any more, and what was left out", async () => {
    open(() => newTaskHistory({ history_from: "2022-05-13T03:00:00Z", truncated: true }));
    expect(await screen.findByText(/What was before 2022-05-13 03:00:00 UTC/)).toBeVisible();
    expect(screen.getByRole("link", { name: "in the audit" })).toHaveAttribute(
      "href",
      "/workflows/1/audit?task=42",
    );
  });

  it("shows a long history from its end, and the rest on demand", async () => {
    const tries = Array.from({ length: 130 }, (_, i): ["Q", number, number] => ["Q", 1, i]);
    open(() => newTaskHistory({ history: newStays(...tries), instances: [] }));
    const table = await screen.findByRole("table", { name: "Stays in statuses", busy: false });
    expect(within(table).getAllByRole("row")).toHaveLength(101);
    await userEvent.click(screen.getByRole("button", { name: "Show 30 of 30 earlier stays" }));
    expect(within(table).getAllByRole("row")).toHaveLength(131);
    expect(screen.getByText(/^No attempt was reported/)).toBeVisible();
  });

  it("follows a task that may move on, and no other", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    try {
      let status = newTaskHistory({ history: newStays(["G", 10], ["R", null, 1]) });
      open(() => status);
      expect(
        await screen.findByRole("table", { name: "Stays in statuses", busy: false }),
      ).toHaveTextContent("ongoing");
      status = newTaskHistory();
      await vi.advanceTimersByTimeAsync(2_000);
      expect(await screen.findByText(/since 2022-05-13 03:03:20 UTC/)).toBeVisible();
      const asked = requests(path).length;
      await vi.advanceTimersByTimeAsync(120_000);
      expect(requests(path)).toHaveLength(asked);
    } finally {
      vi.useRealTimers();
    }
  });

  it("sets the status of the task, after it has asked", async () => {
    open(() => newTaskHistory());
    answerPuts(() => ({ message: "1 task of workflow 1 moved to REGISTERING" }));
    await userEvent.click(await screen.findByRole("button", { name: "Set status…" }));
    const dialog = screen.getByRole("dialog", { name: "Set the status of this task" });
    await userEvent.click(within(dialog).getByRole("radio", { name: /^DONE/ }));
    expect(dialog).toHaveTextContent("1 is DONE already and stays as it is.");
    await userEvent.click(within(dialog).getByRole("radio", { name: /^REGISTERING/ }));
    const before = requests(path).length;
    await userEvent.click(
      within(dialog).getByRole("button", { name: "Set 1 task to REGISTERING" }),
    );
    expect(await screen.findByText("1 task of workflow 1 moved to REGISTERING")).toBeVisible();
    expect(puts()[0][1]).toEqual({
      workflow_id: 1,
      task_ids: [42],
      new_status: "G",
      recursive: false,
    });
    await waitFor(() => expect(requests(path).length).toBeGreaterThan(before));
  });

  it.each(["/tasks/99", "/tasks/x", "/tasks/0"])("knows no %s", async (address) => {
    answer({});
    renderAt(address);
    expect(await screen.findByText("There is no such task")).toBeVisible();
  });

  it("tells why it failed", async () => {
    open(() => new ApiError("internal", "It broke.", 500));
    expect(await screen.findByRole("alert")).toHaveTextContent("It broke.");
  });
});
