import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import { answer } from "../test/api";
import { newConcurrency } from "../test/factories/concurrency";
import { newChangeList, newSuspectList, newTaskAtList } from "../test/factories/tasks";
import { newTemplateStatsList } from "../test/factories/templates";
import { newWorkflow } from "../test/factories/workflow";
import { renderAt } from "../test/render";

vi.mock("../api/client", async (original) => ({ ...(await original<object>()), getJSON: vi.fn() }));

// Plotly needs a browser that lays out and draws: the browser test has one.
vi.mock("../charts/plotly", () => ({ warmUp: () => Promise.resolve() }));
vi.mock("../concurrency/TimelineChart", () => ({ default: () => <figure /> }));

function answers() {
  answer({
    "api/v2/server": () => ({ version: "v0.1.0", demo: false }),
    "api/v2/workflows/1": () => newWorkflow(),
    "api/v2/workflow/1/task_templates": () => ({ task_templates: ["align", "call"] }),
    "api/v2/workflow/1/task_concurrency": () => newConcurrency(),
    "api/v2/workflow/1/templates": () => newTemplateStatsList(),
    "api/v2/workflow/1/tasks": () => newTaskAtList(),
    "api/v2/workflow/1/suspects": () => newSuspectList(),
    "api/v2/workflow/1/task_status_changes": () => newChangeList(),
  });
}

describe("the tabs of a workflow", () => {
  it.each([
    ["/workflows/1", "Concurrency", "openproblems · Tasktide"],
    ["/workflows/1/templates", "Templates", "Templates · openproblems · Tasktide"],
    ["/workflows/1/tasks", "Tasks", "Tasks · openproblems · Tasktide"],
    ["/workflows/1/audit", "Audit", "Audit · openproblems · Tasktide"],
  ])("opens %s", async (address, name, title) => {
    answers();
    renderAt(address);
    const tab = await screen.findByRole("tab", { name, selected: true });
    expect(tab).toHaveAttribute("href", address);
    expect(screen.getByRole("tabpanel", { name })).toBeVisible();
    expect(document.title).toBe(title);
  });

  it("keeps what was chosen in a tab while another is looked at, and goes back", async () => {
    answers();
    const { location, back } = renderAt("/workflows/1?range=7d&bucket=10m");
    await userEvent.click(await screen.findByRole("tab", { name: "Templates" }));
    expect(location()).toBe("/workflows/1/templates");
    await userEvent.click(await screen.findByRole("button", { name: "Attempts" }));
    await userEvent.click(screen.getByRole("tab", { name: "Audit" }));
    expect(location()).toBe("/workflows/1/audit");
    await userEvent.click(screen.getByRole("tab", { name: "Concurrency" }));
    expect(location()).toBe("/workflows/1?range=7d&bucket=10m");
    expect(await screen.findByRole("combobox", { name: "Bucket" })).toHaveTextContent("10 min");
    await userEvent.click(screen.getByRole("tab", { name: "Templates" }));
    expect(location()).toBe("/workflows/1/templates?sort=-attempts");
    back();
    back();
    await waitFor(() => expect(location()).toBe("/workflows/1/audit"));
    expect(screen.getByRole("tab", { name: "Audit", selected: true })).toBeVisible();
  });

  it("is walked with the arrow keys, and pressed with Enter or the space bar", async () => {
    answers();
    const { location } = renderAt("/workflows/1/templates");
    (await screen.findByRole("tab", { name: "Templates" })).focus();
    await userEvent.keyboard("{ArrowRight}");
    expect(screen.getByRole("tab", { name: "Tasks" })).toHaveFocus();
    expect(location()).toBe("/workflows/1/templates");
    await userEvent.keyboard("[Space]");
    expect(location()).toBe("/workflows/1/tasks");
    expect(screen.getByRole("tab", { name: "Tasks" })).toHaveFocus();
    await userEvent.keyboard("{End}{Enter}");
    expect(location()).toBe("/workflows/1/audit");
  });

  it("keeps the tabs where a view cannot be loaded", async () => {
    answers();
    answer({
      "api/v2/workflows/1": () => newWorkflow(),
      "api/v2/workflow/1/templates": () => new ApiError("internal", "It broke.", 500),
    });
    renderAt("/workflows/1/templates");
    expect(await screen.findByRole("alert")).toHaveTextContent("It broke.");
    expect(screen.getByRole("tab", { name: "Audit" })).toBeVisible();
  });

  it("knows no other", async () => {
    answers();
    renderAt("/workflows/1/tempaltes");
    expect(await screen.findByText("There is no such page")).toBeVisible();
  });
});
