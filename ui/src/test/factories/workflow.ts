import type { Workflow } from "../../api/types";

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
