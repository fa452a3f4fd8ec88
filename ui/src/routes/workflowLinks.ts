/** The addresses of a workflow's pages and its tasks'. */

import { withView } from "../concurrency/view";

/** The Concurrency tab with one template isolated. */
export function templateOnChart(workflowId: number, template: string): string {
  return withQuery(
    `/workflows/${workflowId}`,
    withView(new URLSearchParams(), { only: [template] }),
  );
}

/** The Tasks tab with the tasks of a template, whatever their status. */
export function tasksOfTemplate(workflowId: number, template: string): string {
  return withQuery(
    `/workflows/${workflowId}/tasks`,
    new URLSearchParams([
      ["status", "ANY"],
      ["template", template],
    ]),
  );
}

/** The part of an address of the Tasks tab that opens the list of suspects. */
export const suspectsHash = "#suspects";

/** The Tasks tab with its suspects listed. */
export function suspectsOf(workflowId: number): string {
  return `/workflows/${workflowId}/tasks${suspectsHash}`;
}

/** The Audit tab with the changes of one task. */
export function auditOfTask(workflowId: number, taskId: number): string {
  return withQuery(`/workflows/${workflowId}/audit`, new URLSearchParams({ task: String(taskId) }));
}

export function taskPage(taskId: number): string {
  return `/tasks/${taskId}`;
}

function withQuery(path: string, query: URLSearchParams): string {
  return `${path}?${query.toString()}`;
}
