import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import type { TemplateStatsList } from "../api/types";
import { answer } from "../test/api";
import { newTemplateStats, newTemplateStatsList } from "../test/factories/templates";
import { newWorkflow } from "../test/factories/workflow";
import { renderAt } from "../test/render";

vi.mock("../api/client", async (original) => ({ ...(await original<object>()), getJSON: vi.fn() }));

const address = "/workflows/1/templates";
const call = newTemplateStats({
  task_template_name: "call & sort",
  tasks: { D: 1200, F: 3, R: 7 },
  attempts: 1300,
  retries: 90,
});

function open(stats: TemplateStatsList | Error, at = address) {
  answer({
    "api/v2/workflows/1": () => newWorkflow(),
    "api/v2/workflow/1/templates": () => stats,
  });
  return renderAt(at);
}

async function rows() {
  const table = await screen.findByRole("table", { name: "Templates", busy: false });
  return within(table)
    .getAllByRole("row")
    .slice(1)
    .map((row) => row.textContent);
}

describe("the templates of a workflow", () => {
  it("shows tasks by status, attempts and run times, in numbers", async () => {
    open(newTemplateStatsList([newTemplateStats(), call]));
    const [align, second] = await rows();
    expect(align).toBe("align1212 done153330.3 s1 min 35 s3 min 20 s1 h 1 min");
    expect(second).toContain("1,2101,200 done3 error fatal7 running1,30090");
    const legend = screen.getByRole("list", { name: "Legend of statuses" });
    expect(legend).toHaveTextContent(/^DoneError fatalRunning$/);
    expect(screen.getByText(/may be off by 0.8% of itself/)).toBeVisible();
  });

  it("links a name to the chart and its number to the tasks", async () => {
    open(newTemplateStatsList([call]));
    expect(await screen.findByRole("link", { name: "call & sort" })).toHaveAttribute(
      "href",
      "/workflows/1?template=call+%26+sort",
    );
    expect(screen.getByRole("link", { name: "The 1,210 tasks of call & sort" })).toHaveAttribute(
      "href",
      "/workflows/1/tasks?status=ANY&template=call+%26+sort",
    );
  });

  it("is ordered by a click, as the address says", async () => {
    const { location } = open(newTemplateStatsList([newTemplateStats(), call]));
    await userEvent.click(await screen.findByRole("button", { name: "Attempts" }));
    expect(location()).toBe(`${address}?sort=-attempts`);
    expect((await rows())[0]).toContain("call & sort");
    expect(screen.getByRole("columnheader", { name: "Attempts" })).toHaveAttribute(
      "aria-sort",
      "descending",
    );
    await userEvent.click(screen.getByRole("button", { name: "Attempts" }));
    expect(location()).toBe(`${address}?sort=attempts`);
    expect((await rows())[0]).toContain("align");
  });

  it("shows the rest of the quantiles on demand", async () => {
    const { location } = open(newTemplateStatsList());
    expect(await screen.findByRole("columnheader", { name: "Run p50" })).toBeVisible();
    expect(screen.queryByRole("columnheader", { name: "Run p10" })).not.toBeInTheDocument();
    await userEvent.click(screen.getByRole("switch", { name: "All quantiles" }));
    expect(location()).toBe(`${address}?quantiles=all`);
    expect(screen.getByRole("columnheader", { name: "Run p10" })).toBeVisible();
    expect((await rows())[0]).toContain("121.5 s12 s30.3 s1 min");
  });

  it("says what is not known, and why", async () => {
    const old = newTemplateStats({ retries: null, runs: null });
    const none = newTemplateStats({ task_template_name: "b", runs: { count: 0, seconds: null } });
    open(newTemplateStatsList([old, none], { data_from: "2022-05-01T00:00:00Z" }));
    const [first, second] = await rows();
    expect(first.match(/not known/g)).toHaveLength(5);
    expect(second).toContain("––––");
    expect(screen.getByText(/before retries and run times were told apart/)).toBeVisible();
    expect(screen.getByText(/are counted from 2022-05-01 00:00:00 UTC on/)).toBeVisible();
  });

  it("says that there are none yet", async () => {
    open(newTemplateStatsList([]));
    expect(await screen.findByText("No templates yet")).toBeVisible();
  });

  it("tells why it failed", async () => {
    open(new ApiError("internal", "It broke.", 500));
    expect(await screen.findByRole("alert")).toHaveTextContent("It broke.");
  });
});
