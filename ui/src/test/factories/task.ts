import type { TaskAttempt, TaskStatus, TaskStatusHistory, TaskStay } from "../../api/types";
import { taskStatusNames } from "../../taskWords";

const start = Date.parse("2022-05-13T03:00:00Z");

function instant(seconds: number): string {
  return new Date(start + seconds * 1000).toISOString();
}

/** A history from 03:00 on: each status with how many seconds it lasted, null for one that lasts. */
export function newStays(...stays: [TaskStatus, number | null, number?][]): TaskStay[] {
  let at = 0;
  return stays.map(([status, seconds, attempt]) => {
    const from = at;
    at += seconds ?? 60;
    return {
      status,
      status_name: taskStatusNames[status] as TaskStay["status_name"],
      from: instant(from),
      until: seconds === null ? null : instant(at),
      duration_seconds: at - from,
      attempt: attempt ?? null,
    };
  });
}

/** A task that is DONE at its second attempt, a minute before the answer, unless told otherwise. */
export function newTaskHistory(change: Partial<TaskStatusHistory> = {}): TaskStatusHistory {
  const history =
    change.history ??
    newStays(
      ["G", 10],
      ["Q", 20, 1],
      ["R", 30.5, 1],
      ["E", 0, 1],
      ["Q", 4.5, 2],
      ["R", 135, 2],
      ["D", null, 2],
    );
  const last = history[history.length - 1];
  return {
    id: 42,
    name: "align_7",
    workflow_id: 1,
    task_template_name: "align",
    status: last.status,
    status_name: last.status_name,
    since: last.from,
    num_attempts: 2,
    max_attempts: 3,
    history,
    history_from: null,
    instances: [newAttempt({ attempt: 1, id: 77 }), newAttempt({ attempt: 2, id: 78 })],
    truncated: false,
    generated_at: new Date(Date.parse(last.from) + last.duration_seconds * 1000).toISOString(),
    ...change,
  };
}

/** An attempt that is DONE, and of which everything was reported. */
export function newAttempt(change: Partial<TaskAttempt> = {}): TaskAttempt {
  return {
    attempt: 1,
    id: 77,
    workflow_run_id: 5,
    status: "D",
    status_name: "DONE",
    status_at: "2022-05-13T03:03:20Z",
    submitted_at: "2022-05-13T03:00:30Z",
    nodename: "node-17",
    distributor_id: "88123",
    cluster: "slurm",
    queue: "all.q",
    requested_resources: { cores: 2, memory: "4G" },
    max_rss: "3.1G",
    wallclock: "135",
    cpu: "260",
    errors: [],
    ...change,
  };
}
