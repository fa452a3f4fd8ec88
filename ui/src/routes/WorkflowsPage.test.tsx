import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import { answer, requests } from "../test/api";
import { newWorkflow } from "../test/factories/workflow";
import { renderAt } from "../test/render";

vi.mock("../api/client", async (original) => ({ ...(await original<object>()), getJSON: vi.fn() }));

const path = "api/v2/workflows";
const server = { "api/v2/server": () => ({ version: "v0.1.0", demo: false }) };

describe("the workflows list", () => {
  it("shows each workflow, linked to its page", async () => {
    const workflows = [
      newWorkflow({ id: 2, name: "live", active: true, max_concurrently_running: 400 }),
      newWorkflow({ id: 1, name: "old", user: null }),
    ];
    answer({ ...server, [path]: () => ({ workflows, next_cursor: null }) });
    renderAt("/");
    const live = await screen.findByRole("link", { name: "live" });
    expect(live).toHaveAttribute("href", "/workflows/2");
    const [, first, second] = screen.getAllByRole("row");
    expect(first).toHaveTextContent(/400.*Tasks are active/);
    expect(second).toHaveTextContent(/No limit.*2022-05-13 03:44:09/);
    expect(screen.queryByRole("button", { name: "Older" })).not.toBeInTheDocument();
    expect(screen.queryByText("DEMO")).not.toBeInTheDocument();
  });

  it("says DEMO where the server's data is made up", async () => {
    answer({
      "api/v2/server": () => ({ version: "v0.1.0", demo: true }),
      [path]: () => ({ workflows: [], next_cursor: null }),
    });
    renderAt("/");
    expect(await screen.findByText("DEMO")).toBeVisible();
  });

  it("says what to do where there is none yet", async () => {
    answer({ ...server, [path]: () => ({ workflows: [], next_cursor: null }) });
    renderAt("/");
    expect(await screen.findByText("No workflows yet")).toBeVisible();
    expect(screen.getByText(/tasktide import nextflow/)).toBeVisible();
  });

  it("keeps search, status and page in the address, and starts a search on the first page", async () => {
    answer({
      ...server,
      [path]: () => ({ workflows: [newWorkflow()], next_cursor: "c2" }),
    });
    const { location } = renderAt("/?status=D");
    await userEvent.click(await screen.findByRole("button", { name: "Older" }));
    expect(location()).toBe("/?status=D&cursor=c2");
    await waitFor(() => expect(requests(path).at(-1)).toEqual({ status: ["D"], cursor: "c2" }));
    await userEvent.type(screen.getByRole("searchbox"), "night");
    await waitFor(() => expect(location()).toBe("/?status=D&search=night"));
    await waitFor(() => expect(requests(path).at(-1)).toEqual({ search: "night", status: ["D"] }));
    expect(screen.getByRole("searchbox")).toHaveFocus();
  });

  it("tells why it failed, and tries again", async () => {
    let fails = true;
    answer({
      ...server,
      [path]: () =>
        fails
          ? new ApiError("internal", "The database is gone.", 500)
          : { workflows: [newWorkflow({ name: "back" })], next_cursor: null },
    });
    renderAt("/");
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("The database is gone.");
    fails = false;
    await userEvent.click(within(alert).getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("link", { name: "back" })).toBeVisible();
  });
});
