import type { Workflow, WorkflowActivity } from "../../api/types";

/** A run that ended long ago, unless told otherwise. */
export function newWorkflow(change: Partial<Workflow> = {}): Workflow {
  return {
    id: 1,
    name: "openproblems",
    tool: "nextflow",
    user: "alice",
    status: "D",
    status_name: "DONE",
    created_at: "2022-05-13T03:02:26.406000Z",
    status_at: "2022-05-13T03:44:09.203000Z",
    first_transition_at: "2022-05-13T03:02:26.406000Z",
    last_transition_at: "2022-05-13T03:44:09.203000Z",
    active: false,
    max_concurrently_running: 2_147_483_647,
    ...change,
  };
}

/** Of a workflow that has been running for the last half hour alone, at 10:10 UTC, unless told otherwise. */
export function newActivity(change: Partial<WorkflowActivity> = {}): WorkflowActivity {
  return {
    tasks: { G: 0, Q: 0, I: 0, O: 0, R: 3, D: 40, E: 0, A: 0, F: 1 },
    running: 3,
    peak_24h: 7,
    sparkline: [...Array.from({ length: 47 }, () => null), 7],
    generated_at: "2026-01-02T10:10:00Z",
    ...change,
  };
}
