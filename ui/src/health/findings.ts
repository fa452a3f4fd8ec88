/** What is wrong with a server, in words, and what to do about it. */

import type { ServerHealth } from "../api/types";
import { formatDuration, formatNumber, formatTime } from "../format";

export interface Finding {
  /** An error may mean wrong numbers; a warning is about time and room. */
  severity: "error" | "warning";
  title: string;
  advice: string;
}

const hour = 3_600_000;
/** The roll-up is at it within seconds of a minute's end. */
const maxLagSeconds = 300;
/** Retention passes every hour, and verification once a day. */
const maxPassAge = 3 * hour;
const maxVerificationAge = 48 * hour;

/** Nothing, where all is well. What is counted since the start of the server does not go away again. */
export function findingsOf(health: ServerHealth): Finding[] {
  const { database, writes, roll_up, retention, verification } = health;
  const found: Finding[] = [];
  const add = (severity: Finding["severity"], wrong: boolean, title: string, advice: string) => {
    if (wrong) found.push({ severity, title, advice });
  };
  const age = (instant: string | null) =>
    instant === null ? 0 : Date.parse(health.now) - Date.parse(instant);
  const uncovered = verification.tasks - verification.covered;

  for (const [what, failure] of [
    ["Writes", database.write_failure],
    ["Reads", database.read_failure],
  ] as const) {
    if (failure === null) continue;
    const since = `${formatTime(Date.parse(failure.since))} UTC`;
    add(
      "error",
      true,
      `${what} have failed since ${since} (${count(failure.failures, "transaction")})`,
      `${failure.message[0].toUpperCase()}${failure.message.slice(1)}.`,
    );
  }
  add(
    "error",
    verification.defects > 0,
    `The last verification found ${count(verification.defects, "defect")}`,
    "Numbers may be wrong. “tasktide audit verify” tells each of them. Where counts differ from the audit, “tasktide rollup rebuild” has them made again.",
  );
  add(
    "error",
    verification.ended !== null && uncovered > 0,
    `The audit does not account for ${count(uncovered, "task")}`,
    "Their statuses are not the ones that the audit tells. “tasktide audit verify” tells which, and something other than Tasktide may have changed them in the database.",
  );
  add(
    "warning",
    age(verification.ended) > maxVerificationAge,
    `The audit was last verified ${formatDuration(age(verification.ended) / 1000)} ago`,
    "It is verified once a day. The server's log tells why it was not.",
  );
  add(
    "warning",
    roll_up.lag_seconds > maxLagSeconds,
    `The roll-up is ${formatDuration(roll_up.lag_seconds)} behind`,
    `Answers stay exact, and take longer. If it does not catch up, see the server's log, and how busy the database is. Not summed up yet: ${count(roll_up.marked_workflows, "workflow")}.`,
  );
  add(
    "warning",
    roll_up.damaged_blocks > 0,
    `${count(roll_up.damaged_blocks, "block")} of counts did not pass the checksum`,
    "They are not read as numbers, and are made again from the audit while it is kept. Check the disk of the database.",
  );
  add(
    "warning",
    retention.held !== null,
    "Retention is held and removes nothing",
    `${sentence(retention.held ?? "")}.`,
  );
  add(
    "warning",
    retention.left_alone > 0,
    `Retention left ${count(retention.left_alone, "workflow")} alone`,
    "Something in them is not right, so nothing is removed. “tasktide audit verify” tells what.",
  );
  add(
    "warning",
    age(retention.last_pass) > maxPassAge,
    `Retention last passed ${formatDuration(age(retention.last_pass) / 1000)} ago`,
    "It passes every hour. The server's log tells why it did not; meanwhile the database grows.",
  );
  add(
    "warning",
    writes.given_up > 0,
    `${count(writes.given_up, "transaction")} given up because they met others`,
    "Clients were told to try again, and nothing is lost. If the number keeps growing, too many clients change the same tasks, or the database is slow.",
  );
  add(
    "warning",
    writes.clock_clamps > 0,
    `The database's clock was set back: ${count(writes.clock_clamps, "move")} dated by the task`,
    "Times around them are not exact. Have the clock of the database's machine kept by NTP.",
  );
  return found;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function count(n: number, what: string): string {
  return `${formatNumber(n)} ${what}${n === 1 ? "" : "s"}`;
}
