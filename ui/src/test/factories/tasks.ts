import type {
  Suspect,
  SuspectGroup,
  SuspectList,
  TaskAt,
  TaskAtList,
  TaskStatusChange,
  TaskStatusChangeList,
} from "../../api/types";

/** A task that ran at 03:24 and was done soon after. */
export function newTaskAt(change: Partial<TaskAt> = {}): TaskAt {
  return {
    id: 42,
    name: "align_7",
    task_template_name: "align",
    status: "R",
    status_name: "RUNNING",
    since: "2022-05-13T03:23:00Z",
    until: "2022-05-13T03:25:30.5Z",
    seconds: 74.803,
    total_seconds: 150.5,
    attempt: 2,
    nodename: "node-17",
    ...change,
  };
}

/** The last page of the tasks that ran at 03:24:14.803. */
export function newTaskAtList(
  tasks: TaskAt[] = [newTaskAt()],
  change: Partial<TaskAtList> = {},
): TaskAtList {
  return {
    workflow_id: 1,
    at: "2022-05-13T03:24:14.803Z",
    statuses: ["R"],
    level: tasks.length,
    tasks,
    next_cursor: null,
    generated_at: "2022-05-14T00:00:00Z",
    rows_from: null,
    ...change,
  };
}

/** A task whose run was not heard of in time. */
export function newSuspect(change: Partial<Suspect> = {}): Suspect {
  return {
    id: 43,
    name: "align_8",
    task_template_name: "align",
    status: "R",
    status_name: "RUNNING",
    status_at: "2022-05-13T03:23:00Z",
    since: "2022-05-13T03:30:00Z",
    reason: "heartbeat_lost",
    workflow_run: {
      id: 5,
      status: "R",
      status_name: "RUNNING",
      status_at: "2022-05-13T03:00:00Z",
      heartbeat_by: "2022-05-13T03:30:00Z",
    },
    ...change,
  };
}

/** One that runs at the first attempt. */
export function newSuspectGroup(change: Partial<SuspectGroup> = {}): SuspectGroup {
  return {
    task_template_name: "align",
    status: "R",
    attempts: "first",
    since: "2022-05-13T03:21:30Z",
    count: 1,
    ...change,
  };
}

export function newSuspectList(
  tasks: Suspect[] = [],
  change: Partial<SuspectList> = {},
): SuspectList {
  return {
    workflow_id: 1,
    count: tasks.length,
    since: tasks.at(0)?.since ?? null,
    tasks,
    next_cursor: null,
    groups: null,
    ungrouped: 0,
    generated_at: "2022-05-14T00:00:00Z",
    ...change,
  };
}

/** A task that was done after a run of two and a half minutes. */
export function newChange(change: Partial<TaskStatusChange> = {}): TaskStatusChange {
  return {
    id: 990,
    task_id: 42,
    task_name: "align_7",
    task_template_name: "align",
    previous_status: "R",
    new_status: "D",
    changed_at: "2022-05-13T03:25:30.500127Z",
    previous_at: "2022-05-13T03:23:00Z",
    duration_seconds: 150.500127,
    stored_at: "2022-05-14T00:00:00Z",
    ...change,
  };
}

export function newChangeList(
  changes: TaskStatusChange[] = [newChange()],
  change: Partial<TaskStatusChangeList> = {},
): TaskStatusChangeList {
  return { task_status_changes: changes, next_cursor: null, rows_from: null, ...change };
}
