import { screen, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import { answer, requests, type Answers } from "../test/api";
import { newHealth, newTelemetry } from "../test/factories/health";
import { renderAt } from "../test/render";

vi.mock("../api/client", async (original) => ({ ...(await original<object>()), getJSON: vi.fn() }));

const path = "api/v2/health";

function answers(change: Answers = {}): Answers {
  return {
    "api/v2/server": () => ({ version: "v0.1.0", demo: false, telemetry: false }),
    [path]: () => newHealth(),
    "api/v2/telemetry": () => newTelemetry(),
    ...change,
  };
}

/** What a section tells, by the names of its facts. */
async function section(name: string): Promise<Record<string, string>> {
  const found = await screen.findByRole("region", { name });
  const values = within(found).getAllByRole("definition");
  return Object.fromEntries(
    within(found)
      .getAllByRole("term")
      .map((term, i) => [term.textContent, values[i].textContent]),
  );
}

describe("the page of the server's health", () => {
  it("tells what the server does beside answering", async () => {
    answer(answers());
    renderAt("/health");
    expect(await section("Audit")).toMatchObject({
      "Tasks that the audit accounts for": "100% of 40,000",
      Verified: "2026-01-02 10:00:10 UTC",
      "It took": "10 s",
    });
    expect(await section("Roll-up")).toMatchObject({
      "Behind by": "nothing",
      "Rate while at work": "52,000 rows/s",
    });
    expect(await section("Writes")).toMatchObject({ "Over the last 10 seconds": "120.4 rows/s" });
    expect(await section("Retention")).toMatchObject({
      "The audit is kept": "90 d",
      "Counts are kept": "for good",
      "Last pass": "2026-01-02 11:30:00 UTC",
    });
    expect(screen.getByText("Nothing is wrong.")).toBeVisible();
    expect(screen.getByText(/As of 2026-01-02 12:00:00 UTC/)).toBeVisible();
    expect(document.title).toBe("Health · Tasktide");
  });

  it("tells how the page is used", async () => {
    answer(answers());
    renderAt("/health");
    expect(await section("Use of this page")).toEqual({
      "Visits that looked at a chart": "10",
      "Charts drawn": "240",
      "Time to draw an answer, median": "47 ms",
      "Time to draw, 90% within": "71 ms",
      "Time to draw, 99% within": "180 ms",
      "Active filters a visit, median": "1.5",
      "Exports a visit, PNG": "0.4",
      "Exports a visit, SVG": "0",
      "Exports a visit, CSV": "1.2",
    });
  });

  it("says so where pages tell nothing", async () => {
    answer(answers({ "api/v2/telemetry": () => newTelemetry({ enabled: false }) }));
    renderAt("/health");
    expect(await screen.findByText(/started with --telemetry off/)).toBeVisible();
  });

  it("says in words what is wrong, and what to do", async () => {
    answer(answers({ [path]: () => newHealth({ verification: { defects: 2, covered: 39_999 } }) }));
    renderAt("/health");
    const wrong = await screen.findByRole("region", { name: "What is wrong" });
    const [defects, uncovered] = within(wrong).getAllByRole("alert");
    expect(defects).toHaveTextContent(/Error: The last verification found 2 defects/);
    expect(defects).toHaveTextContent(/tasktide audit verify/);
    expect(uncovered).toHaveTextContent(/does not account for 1 task/);
    expect(await section("Audit")).toMatchObject({
      "Tasks that the audit accounts for": ">99.9% of 40,000",
    });
  });

  it("knows that a server has just begun", async () => {
    const nothing = { began: null, ended: null, tasks: 0, covered: 0 };
    answer(answers({ [path]: () => newHealth({ verification: nothing }) }));
    renderAt("/health");
    expect(await screen.findByText(/has not been verified since this server began/)).toBeVisible();
    expect(await section("Audit")).toEqual({ "Last verification": "not since this server began" });
  });

  it("keeps what is on screen when a refresh fails", async () => {
    let fails = false;
    answer(
      answers({ [path]: () => (fails ? new ApiError("internal", "Broken.", 500) : newHealth()) }),
    );
    const { client } = renderAt("/health");
    await section("Audit");
    fails = true;
    await client.refetchQueries({ queryKey: ["health"] });
    expect(await screen.findByText(/Broken\. What you see is from .* UTC/)).toBeVisible();
    expect(await section("Writes")).toHaveProperty("Transactions given up", "0");
    expect(screen.queryByText(/Nothing is wrong/)).not.toBeInTheDocument();
  });

  it("tells why it cannot be told", async () => {
    answer(answers({ [path]: () => new ApiError("internal", "Broken.", 500) }));
    renderAt("/health");
    expect(await screen.findByRole("alert")).toHaveTextContent("Broken.");
    expect(screen.queryByRole("region")).not.toBeInTheDocument();
  });

  it("is linked from every page", async () => {
    answer(answers());
    renderAt("/nowhere");
    expect(await screen.findByRole("link", { name: "Health" })).toHaveAttribute("href", "/health");
    expect(requests(path)).toEqual([]);
  });
});
