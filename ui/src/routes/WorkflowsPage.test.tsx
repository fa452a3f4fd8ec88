import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import { answer, requests } from "../test/api";
import { newActivity, newWorkflow } from "../test/factories/workflow";
import { renderAt } from "../test/render";

vi.mock("../api/client", async (original) => ({ ...(await original<object>()), getJSON: vi.fn() }));

const path = "api/v2/workflows";
const server = { "api/v2/server": () => ({ version: "v0.1.0", demo: false }) };

afterEach(() => vi.unstubAllGlobals());

describe("the workflows list", () => {
  it("shows each workflow, linked to its page", async () => {
    const workflows = [
      newWorkflow({ id: 2, name: "live", active: true, activity: newActivity() }),
      newWorkflow({ id: 1, name: "old", user: null }),
    ];
    answer({ ...server, [path]: () => ({ workflows, next_cursor: null }) });
    renderAt("/");
    const live = await screen.findByRole("link", { name: "live" });
    expect(live).toHaveAttribute("href", "/workflows/2");
    const [, first, second] = screen.getAllByRole("row");
    expect(first).toHaveTextContent(/#2 · nextflow.*40 of 44 done, 1 failed.*Tasks are active/);
    expect(second).toHaveTextContent(/–.*2022-05-13 03:44:09/);
    expect(screen.queryByRole("button", { name: "Older" })).not.toBeInTheDocument();
    expect(screen.queryByText("DEMO")).not.toBeInTheDocument();
  });

  it("tells what each workflow does, in words too", async () => {
    const workflows = [newWorkflow({ activity: newActivity() })];
    answer({ ...server, [path]: () => ({ workflows, next_cursor: null }) });
    renderAt("/");
    await screen.findByRole("link", { name: "openproblems" });
    expect(requests(path)).toContainEqual({ activity: true });
    const cells = within(screen.getAllByRole("row")[1]).getAllByRole("cell");
    expect(cells[4]).toHaveTextContent(/^3$/);
    expect(cells[5]).toHaveTextContent(/^7$/);
    const bar = within(cells[3]).getByRole("img", {
      name: "40 of 44 done, 1 failed: 40 DONE, 1 ERROR_FATAL, 3 RUNNING",
    });
    const line = within(cells[6]).getByRole("img");
    expect(line).toHaveAccessibleName(
      "At most 7 ran at once, within 2026-01-02 10:00:00 – 10:30:00 UTC",
    );
    await userEvent.hover(bar);
    expect(await screen.findByRole("tooltip")).toHaveTextContent("3 RUNNING");
  });

  it("lists them while what they do cannot be counted, and says so", async () => {
    answer({
      ...server,
      [path]: ({ activity }) =>
        activity === true
          ? new ApiError("unavailable", "It took too long.", 503)
          : { workflows: [newWorkflow({ name: "large" })], next_cursor: null },
    });
    renderAt("/");
    expect(await screen.findByRole("link", { name: "large" })).toBeVisible();
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent(/could not be counted.*It took too long/);
  });

  it("shows cards where there is no room for a table", async () => {
    vi.stubGlobal("matchMedia", (query: string) => ({
      matches: query.includes("max-width"),
      addEventListener: vi.fn(),
      removeEventListener: vi.fn(),
    }));
    const workflows = [newWorkflow({ activity: newActivity() })];
    answer({ ...server, [path]: () => ({ workflows, next_cursor: null }) });
    renderAt("/");
    const card = await screen.findByRole("listitem");
    expect(within(card).getByRole("link", { name: "openproblems" })).toBeVisible();
    expect(card).toHaveTextContent(/Running now3Peak, 24 h.*7Owneralice/);
    const values = within(card).getAllByRole("definition");
    expect(values.slice(0, 3).map((value) => value.textContent)).toEqual(["3", "7", "alice"]);
    expect(screen.queryByRole("table")).not.toBeInTheDocument();
  });

  it("says DEMO where the server's data is made up", async () => {
    answer({
      "api/v2/server": () => ({ version: "v0.1.0", demo: true }),
      [path]: () => ({ workflows: [], next_cursor: null }),
    });
    renderAt("/");
    expect(await screen.findByText("DEMO")).toBeVisible();
  });

  it.each([
    ["", "tasktide import nextflow FILE --workflow NAME"],
    [
      "sqlite:///srv/runs.db",
      "tasktide import nextflow FILE --workflow NAME --database-url sqlite:///srv/runs.db",
    ],
    [
      "sqlite:///srv/a'b(1).db",
      "tasktide import nextflow FILE --workflow NAME --database-url 'sqlite:///srv/a'\\''b(1).db'",
    ],
    [null, "tasktide import nextflow FILE --workflow NAME --database-url URL"],
  ])(
    "says how to load a run into the database %j where there is none yet",
    async (url, command) => {
      answer({
        "api/v2/server": () => ({ version: "v0.1.0", demo: false, database_url: url }),
        [path]: () => ({ workflows: [], next_cursor: null }),
      });
      renderAt("/");
      expect(await screen.findByText("No workflows yet")).toBeVisible();
      expect(await screen.findByText(command)).toBeVisible();
      expect(screen.queryByText(/URL is the database of this server/) !== null).toBe(url === null);
    },
  );

  it("calls an imported run that is not complete incomplete", async () => {
    const workflows = [newWorkflow({ status: "N", status_name: "INCOMPLETE" })];
    answer({ ...server, [path]: () => ({ workflows, next_cursor: null }) });
    renderAt("/?status=N");
    expect(await screen.findByText("Incomplete", { selector: "td *" })).toBeVisible();
    expect(screen.getByRole("combobox", { name: "Status" })).toHaveTextContent("Incomplete");
  });

  it("keeps search, status and page in the address, and starts a search on the first page", async () => {
    answer({
      ...server,
      [path]: () => ({ workflows: [newWorkflow()], next_cursor: "c2" }),
    });
    const { location } = renderAt("/?status=D");
    await userEvent.click(await screen.findByRole("button", { name: "Older" }));
    expect(location()).toBe("/?status=D&cursor=c2");
    await waitFor(() =>
      expect(requests(path)).toContainEqual({ status: ["D"], cursor: "c2", activity: true }),
    );
    await userEvent.type(screen.getByRole("searchbox"), "night");
    await waitFor(() => expect(location()).toBe("/?status=D&search=night"));
    await waitFor(() =>
      expect(requests(path)).toContainEqual({ search: "night", status: ["D"], activity: true }),
    );
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
