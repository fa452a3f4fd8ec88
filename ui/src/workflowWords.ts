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
