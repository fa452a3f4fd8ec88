import { describe, expect, it } from "vitest";
import { newHealth } from "../test/factories/health";
import { findingsOf } from "./findings";

const told = (...change: Parameters<typeof newHealth>) =>
  findingsOf(newHealth(...change)).map(({ severity, title }) => `${severity}: ${title}`);

describe("what is wrong with a server", () => {
  it("is nothing where all is well", () => {
    expect(findingsOf(newHealth())).toEqual([]);
  });

  it("is nothing before the first pass and the first verification", () => {
    const nothing = { began: null, ended: null, tasks: 0, covered: 0 };
    expect(told({ verification: nothing, retention: { last_pass: null } })).toEqual([]);
  });

  it("names the cause why the database cannot be written or read, and what to do", () => {
    const failure = {
      cause: "disk_full",
      message: "the database has no disk space left; free space on it",
      since: "2026-01-02T11:00:00Z",
      last: "2026-01-02T11:59:00Z",
      failures: 12,
    } as const;
    expect(findingsOf(newHealth({ database: { write_failure: failure } }))).toEqual([
      {
        severity: "error",
        title: "Writes have failed since 2026-01-02 11:00:00 UTC (12 transactions)",
        advice: "The database has no disk space left; free space on it.",
      },
    ]);
    expect(told({ database: { read_failure: { ...failure, failures: 1 } } })).toEqual([
      "error: Reads have failed since 2026-01-02 11:00:00 UTC (1 transaction)",
    ]);
  });

  it.each([
    [{ verification: { defects: 1 } }, "error: The last verification found 1 defect"],
    [{ verification: { covered: 39_998 } }, "error: The audit does not account for 2 tasks"],
    [
      { verification: { ended: "2025-12-31T10:00:00Z" } },
      "warning: The audit was last verified 2 d 2 h ago",
    ],
    [{ roll_up: { lag_seconds: 301 } }, "warning: The roll-up is 5 min 1 s behind"],
    [{ roll_up: { damaged_blocks: 2 } }, "warning: 2 blocks of counts did not pass the checksum"],
    [{ retention: { left_alone: 1 } }, "warning: Retention left 1 workflow alone"],
    [{ retention: { held: "the clock" } }, "warning: Retention is held and removes nothing"],
    [
      { retention: { last_pass: "2026-01-02T08:59:00Z" } },
      "warning: Retention last passed 3 h 1 min ago",
    ],
    [
      { writes: { given_up: 1_200 } },
      "warning: 1,200 transactions given up because they met others",
    ],
    [
      { writes: { clock_clamps: 3 } },
      "warning: The database's clock was set back: 3 moves dated by the task",
    ],
  ])("of %j is told as %s", (change, title) => {
    expect(told(change)).toEqual([title]);
  });

  it("says what to do about each, the worst first", () => {
    const found = findingsOf(
      newHealth({
        writes: { given_up: 1 },
        retention: { held: "the clock says 2027; set it right" },
        roll_up: { lag_seconds: 900 },
        verification: { defects: 2 },
      }),
    );
    expect(found.map(({ severity }) => severity)).toEqual([
      "error",
      "warning",
      "warning",
      "warning",
    ]);
    expect(found[2].advice).toBe("The clock says 2027; set it right.");
    for (const { advice } of found) expect(advice).toMatch(/\.$/);
  });
});
