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
