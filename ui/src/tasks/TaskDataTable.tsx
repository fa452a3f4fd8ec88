import Button from "@mui/material/Button";
import { useMemo } from "react";
import type { TaskStatus } from "../api/types";
import { DataTable, type Column } from "../components/DataTable";
import { NameLink } from "../components/NameLink";
import { TaskStatusLabel } from "../components/TaskStatusLabel";
import { taskPage } from "../routes/workflowLinks";
import { tasksWords } from "../taskWords";
import type { TaskToSet } from "./statusUpdate";

interface TaskRow extends TaskToSet {
  task_template_name: string;
  status: TaskStatus;
}

interface Props<Row extends TaskRow> {
  label: string;
  /** Those after the task's name, template and status. */
  columns: readonly Column<Row>[];
  /** Null while they are being loaded. */
  rows: readonly Row[] | null;
  /** Sets the status of chosen tasks; without it none can be chosen. */
  onSetStatus: ((tasks: readonly TaskToSet[]) => void) | undefined;
}

/** A page of tasks. */
export function TaskDataTable<Row extends TaskRow>({
  label,
  columns,
  rows,
  onSetStatus,
}: Props<Row>) {
  // The same ones from render to render, or every row would be drawn again.
  const all = useMemo(() => [...taskColumns, ...columns], [columns]);
  return (
    <DataTable
      label={label}
      columns={all}
      rows={rows}
      rowKey={(task) => task.id}
      rowName={(task) => task.name}
      actions={
        onSetStatus &&
        ((chosen) => (
          <>
            <span>{tasksWords(chosen.length)} chosen</span>
            <Button variant="outlined" onClick={() => onSetStatus(chosen)}>
              Set status…
            </Button>
          </>
        ))
      }
    />
  );
}

const taskColumns: readonly Column<TaskRow>[] = [
  {
    id: "name",
    name: "Task",
    minWidth: 200,
    cell: ({ id, name }) => <NameLink to={taskPage(id)}>{name}</NameLink>,
  },
  {
    id: "template",
    name: "Template",
    minWidth: 140,
    cell: (task) => <bdi>{task.task_template_name}</bdi>,
  },
  { id: "status", name: "Status", cell: ({ status }) => <TaskStatusLabel status={status} /> },
];
