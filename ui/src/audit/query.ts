/** What the audit is asked for, as the URL holds it. */

import type { TaskStatus, TaskStatusChangesQuery } from "../api/types";
import { isId } from "../routes/ids";
import { taskStatuses } from "../taskWords";

export interface AuditView {
  /** Instants of the API as the URL has them, right or wrong; null where there is no bound. */
  start: string | null;
  end: string | null;
  /** The only task's id; "" for all of them. */
  task: string;
  templates: readonly string[];
  from: readonly TaskStatus[];
  to: readonly TaskStatus[];
  newestFirst: boolean;
}

export function parseAuditView(params: URLSearchParams): AuditView {
  return {
    start: params.get("start"),
    end: params.get("end"),
    task: taskOf(params.get("task") ?? ""),
    templates: params.getAll("template"),
    from: statuses(params.getAll("from")),
    to: statuses(params.getAll("to")),
    newestFirst: params.get("order") !== "asc",
  };
}

/** Whether anything is left out by choice. */
export function isFiltered({ start, end, task, templates, from, to }: AuditView): boolean {
  return (
    start !== null || end !== null || task !== "" || [templates, from, to].some((l) => l.length > 0)
  );
}

/** The API's parameters for a page. */
export function auditQuery(view: AuditView, cursor: string): TaskStatusChangesQuery {
  return {
    order: view.newestFirst ? "desc" : "asc",
    ...(view.start !== null && { start: view.start }),
    ...(view.end !== null && { end: view.end }),
    ...(view.task !== "" && { task_id: Number(view.task) }),
    ...(view.templates.length > 0 && { task_template_name: [...view.templates] }),
    ...(view.from.length > 0 && { previous_status: [...view.from] }),
    ...(view.to.length > 0 && { new_status: [...view.to] }),
    ...(cursor !== "" && { cursor }),
  };
}

function taskOf(text: string): string {
  return isId(text) ? text : "";
}

function statuses(texts: readonly string[]): TaskStatus[] {
  return taskStatuses.filter((status) => texts.includes(status));
}
