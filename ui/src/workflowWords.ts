/** What the page says of a workflow's fields. */

import type { Workflow } from "./api/types";
import { formatNumber } from "./format";

/** JobMon's default for a workflow on which nobody has set a limit: the largest 32-bit integer. */
const unlimited = 2_147_483_647;

export function limitWords(limit: number): string {
  return limit >= unlimited ? "No limit" : formatNumber(limit);
}

/** The workflow's statuses in the order in which they are passed through. */
export const workflowStatuses: readonly (readonly [Workflow["status"], Workflow["status_name"]])[] =
  [
    ["G", "REGISTERING"],
    ["Q", "QUEUED"],
    ["I", "INSTANTIATING"],
    ["O", "LAUNCHED"],
    ["R", "RUNNING"],
    ["D", "DONE"],
    ["H", "HALTED"],
    ["F", "FAILED"],
    ["A", "ABORTED"],
    ["N", "INCOMPLETE"],
  ];

/**
 * The command that loads a run into the server's database. Its URL is empty for the default database, and null when
 * the server does not say it.
 */
export function importCommand(databaseUrl: string | null): string {
  const command = "tasktide import nextflow FILE --workflow NAME";
  if (databaseUrl === "") return command;
  return `${command} --database-url ${databaseUrl === null ? "URL" : shellWord(databaseUrl)}`;
}

/** Quotes a text for a shell where that is needed. */
function shellWord(text: string): string {
  return /^[\w%+,./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
