import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import type { Range } from "../charts/timeline";
import type { Chart } from "../concurrency/model";
import type { ChartHandle } from "../concurrency/TimelineChart";
import { answer, requests, type Answers } from "../test/api";
import { newConcurrency, newSeries } from "../test/factories/concurrency";
import { newSuspectGroup, newSuspectList } from "../test/factories/tasks";
import { newWorkflow } from "../test/factories/workflow";
import { renderAt } from "../test/render";
import { filters } from "../telemetry/telemetry";

vi.mock("../api/client", async (original) => ({ ...(await original<object>()), getJSON: vi.fn() }));

// Plotly needs a browser that lays out and draws: the browser test has one.
vi.mock("../charts/plotly", () => ({ warmUp: () => Promise.resolve() }));
vi.mock("../concurrency/TimelineChart", () => ({
  default: (props: {
    name: string;
    description: string;
    chart: Chart;
    caption: React.ReactNode;
    onRange: (range: Range | null) => void;
    ref: React.Ref<ChartHandle>;
  }) => (
    <figure aria-label={props.name} aria-description={props.description}>
      {props.chart.bands.map((band) => band.name).join(" ")}; peaks{" "}
      {Array.from(props.chart.lines.at(-1)?.values ?? []).join(" ")}
      {props.caption}
      <button onClick={() => props.onRange([whole0 + 60_000, whole0 + 120_000])}>Zoom</button>
    </figure>
  ),
}));

vi.mock("../telemetry/telemetry", async (original) => ({
  ...(await original<object>()),
  filters: vi.fn(),
}));

const whole0 = Date.UTC(2022, 4, 13, 3, 20);
const path = "api/v2/workflow/1/task_concurrency";
const whole = newConcurrency([
  newSeries("align", [1, 2.5, 0], 4),
  newSeries("call", [0, 4, 3.25], 6),
]);
const part = newConcurrency([newSeries("call", [0, 4, 3.25], 6)]);

function answers(change: Answers = {}): Answers {
  return {
    "api/v2/server": () => ({ version: "v0.1.0", demo: false }),
    "api/v2/workflows/1": () => newWorkflow(),
    "api/v2/workflow/1/task_templates": () => ({ task_templates: ["align", "call"] }),
    [path]: ({ task_template_name }) =>
      Array.isArray(task_template_name) && task_template_name.length > 0 ? part : whole,
    ...change,
  };
}

describe("a workflow's page", () => {
  it("opens all of a run that has ended, as means in columns", async () => {
    answer(answers());
    const { location } = renderAt("/workflows/1");
    expect(await screen.findByRole("figure")).toHaveTextContent("align call; peaks 1 7 4");
    expect(requests(path)[0]).toEqual({
      time_range: "all",
      granularity: "auto",
      beside: ["ACTIVE"],
      stat: "mean",
      status: ["RUNNING"],
      format: "columns",
      top: 50,
      task_template_name: [],
    });
    expect(screen.getByRole("button", { name: "All", pressed: true })).toBeVisible();
    expect(screen.getByText("No limit")).toBeVisible();
    expect(location()).toBe("/workflows/1");
  });

  it("says in words what the chart shows", async () => {
    answer(answers());
    renderAt("/workflows/1");
    const description = (await screen.findByRole("figure")).getAttribute("aria-description");
    expect(description).toContain("At most 7 tasks ran at once, at 2022-05-13 03:21:14.803 UTC");
    expect(description).toContain("3.58 on average over 3 min");
    expect(description).toContain("They took 645 task-seconds in all. call took most of them");
    expect(await screen.findByText("at 2022-05-13 03:21:14.803 UTC")).toBeVisible();
  });

  it("tells for how long limits were reached, and what is suspect", async () => {
    const limit = (template: string | null, value: number) => ({
      scope: template === null ? ("workflow" as const) : ("array" as const),
      task_template_name: template,
      steps: [{ from: "2022-05-13T03:00:00Z", max_concurrently_running: value }],
      at_limit_seconds: 45,
      at_limit_share: 0.25,
      at_limit_resolution_seconds: 0,
    });
    const limits = [limit(null, 8), limit("call", 6)];
    answer(
      answers({
        "api/v2/workflows/1": () => newWorkflow({ active: true }),
        [path]: () => ({ ...whole, limits }),
        "api/v2/workflow/1/suspects": () =>
          newSuspectList([], { groups: [newSuspectGroup({ count: 3 })] }),
      }),
    );
    renderAt("/workflows/1?range=all");
    expect(await screen.findByRole("button", { name: /^call/ })).toHaveTextContent(
      "Limit 6, at it for 25%",
    );
    expect(
      await screen.findByRole("link", { name: "Suspect: 3 tasks whose run has ended or is lost" }),
    ).toHaveAttribute("href", "/workflows/1/tasks#suspects");
    const own = /The limit of 6 active tasks of call was reached for 45 s, 25% of the time/;
    const figure = screen.getByRole("figure");
    expect(figure.getAttribute("aria-description")).toContain(
      "The limit of 8 active tasks was reached for 45 s, 25% of the time.",
    );
    expect(figure.getAttribute("aria-description")).not.toMatch(own);
    await userEvent.click(screen.getByRole("button", { name: /^call/ }));
    await waitFor(() =>
      expect(screen.getByRole("figure").getAttribute("aria-description")).toMatch(own),
    );
    expect(screen.getByText("Limit of call, which holds for ACTIVE")).toBeVisible();
    expect(await screen.findByText("Time at its own limit")).toBeVisible();
  });

  it("isolates a template with one click, with the template's own total", async () => {
    answer(answers());
    const { location } = renderAt("/workflows/1");
    await userEvent.click(await screen.findByRole("button", { name: /^call/ }));
    expect(location()).toBe("/workflows/1?template=call");
    expect(await screen.findByText(/^call; peaks 0 4 4/)).toBeVisible();
    expect(requests(path).at(-1)).toMatchObject({ task_template_name: ["call"] });
    const legend = within(screen.getByRole("region", { name: "Legend" }));
    expect(legend.getByRole("button", { name: /^call/ })).toHaveAttribute("aria-pressed", "true");
    await userEvent.click(screen.getByRole("button", { name: "Show all" }));
    expect(location()).toBe("/workflows/1");
  });

  it("mutes with Ctrl and a click, and with a button", async () => {
    answer(answers());
    const user = userEvent.setup();
    const { location } = renderAt("/workflows/1");
    const align = await screen.findByRole("button", { name: /^align/ });
    await user.keyboard("{Control>}");
    await user.click(align);
    await user.keyboard("{/Control}");
    expect(location()).toBe("/workflows/1?mute=align");
    await user.click(screen.getByRole("button", { name: "Show align" }));
    expect(location()).toBe("/workflows/1");
    await user.click(screen.getByRole("button", { name: "Mute call" }));
    expect(location()).toBe("/workflows/1?mute=call");
  });

  it("reopens what the address says", async () => {
    answer(answers());
    renderAt("/workflows/1?range=7d&bucket=10m&template=call");
    expect(await screen.findByText(/^call; peaks/)).toBeVisible();
    for (const request of requests(path)) {
      expect(request).toMatchObject({ time_range: "7d", granularity: "10m" });
    }
  });

  it("tells how many filters are active", async () => {
    answer(answers());
    renderAt("/workflows/1?range=7d&mute=align&mute=call");
    await screen.findByRole("button", { name: "Show align" });
    expect(filters).toHaveBeenLastCalledWith(2);
  });

  it("offers the whole run where nothing ran in the window", async () => {
    const none = newConcurrency([newSeries("align", [0, 0])]);
    answer(answers({ [path]: ({ time_range }) => (time_range === "all" ? whole : none) }));
    const { location } = renderAt("/workflows/1?range=1h");
    await userEvent.click(await screen.findByRole("button", { name: "Show the whole run" }));
    expect(location()).toBe("/workflows/1?range=all");
    expect(await screen.findByRole("figure")).toBeVisible();
  });

  it("tells the server's reason and the parameter", async () => {
    const refusal = new ApiError("invalid", "At most 50,000 buckets.", 400, "granularity");
    answer(answers({ [path]: () => refusal }));
    renderAt("/workflows/1");
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("At most 50,000 buckets.");
    expect(alert).toHaveTextContent("granularity");
  });

  it("keeps what is on screen when a refresh fails, and says how old it is", async () => {
    let fails = false;
    answer(answers({ [path]: () => (fails ? new ApiError("internal", "Broken.", 500) : whole) }));
    const { client } = renderAt("/workflows/1");
    await screen.findByRole("figure");
    fails = true;
    await client.refetchQueries({ queryKey: ["task concurrency"] });
    expect(await screen.findByRole("alert")).toHaveTextContent(
      /Broken\. What you see is from .* UTC/,
    );
    expect(screen.getByRole("figure")).toHaveTextContent("align call");
  });

  it("offers no bucket that would be refused as too many", async () => {
    answer(answers());
    renderAt("/workflows/1?range=7d");
    await userEvent.click(await screen.findByRole("combobox", { name: "Bucket" }));
    expect(screen.getByRole("option", { name: "10 s" })).toHaveAttribute("aria-disabled", "true");
    expect(screen.getByRole("option", { name: "30 s" })).not.toHaveAttribute("aria-disabled");
  });

  it("asks for finer buckets of what is zoomed into, and keeps it in the address", async () => {
    answer(answers());
    const { location } = renderAt("/workflows/1?range=24h");
    await userEvent.click(await screen.findByRole("button", { name: "Zoom" }));
    await waitFor(() =>
      expect(requests(path).at(-1)).toMatchObject({
        start: "2022-05-13T03:21:00Z",
        end: "2022-05-13T03:22:00Z",
        granularity: "auto",
      }),
    );
    const zoomed = "zoom=2022-05-13T03%3A21%3A00Z%2F2022-05-13T03%3A22%3A00Z";
    expect(location()).toBe(`/workflows/1?range=24h&${zoomed}`);
    await userEvent.click(screen.getByRole("button", { name: "6h" }));
    expect(location()).toBe("/workflows/1?range=6h");
  });

  it("shows the window of the fields, in UTC", async () => {
    answer(answers());
    const { location } = renderAt("/workflows/1");
    const end = await screen.findByLabelText("End (UTC)");
    await waitFor(() =>
      expect(screen.getByLabelText("Start (UTC)")).toHaveValue("2022-05-13 03:20:00"),
    );
    fireEvent.change(end, { target: { value: "2022-05-13 03:22:30" } });
    fireEvent.blur(end);
    expect(location()).toContain("window=2022-05-13T03%3A20%3A00Z%2F2022-05-13T03%3A22%3A30Z");
    await waitFor(() =>
      expect(requests(path).at(-1)).toMatchObject({ end: "2022-05-13T03:22:30Z" }),
    );
  });

  it("keeps the window where its end would come before its start, and says so", async () => {
    answer(answers());
    const { location } = renderAt("/workflows/1");
    const end = await screen.findByLabelText("End (UTC)");
    await waitFor(() => expect(end).toHaveValue("2022-05-13 03:23:00"));
    fireEvent.change(end, { target: { value: "2022-05-13 03:10:00" } });
    fireEvent.blur(end);
    expect(await screen.findByText("The end must be after the start.")).toBeVisible();
    expect(location()).toBe("/workflows/1");
  });

  it("says which part of a link it ignored", async () => {
    answer(answers());
    renderAt("/workflows/1?range=2y&template=call");
    expect(await screen.findByText(/were ignored: range=2y/)).toBeVisible();
    expect(await screen.findByText(/^call; peaks/)).toBeVisible();
  });

  it("shows the same numbers as a table", async () => {
    answer(answers());
    renderAt("/workflows/1?view=table");
    const table = await screen.findByRole("table");
    expect(
      within(table)
        .getAllByRole("columnheader")
        .map((cell) => cell.textContent),
    ).toEqual(["Bucket starts (UTC)", "Total, mean", "Total, peak", "call", "align"]);
    const row = within(table).getByRole("row", { name: /03:21:00/ });
    expect(
      within(row)
        .getAllByRole("cell")
        .map((cell) => cell.textContent),
    ).toEqual(["6.5", "7", "4", "2.5"]);
  });

  it.each(["/workflows/99", "/workflows/x", "/workflows/0"])("knows no %s", async (address) => {
    answer(answers());
    renderAt(address);
    await waitFor(() => expect(screen.getByText("There is no such workflow")).toBeVisible());
  });
});
