import Box from "@mui/material/Box";
import Stack from "@mui/material/Stack";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { TaskAt, TaskAtList } from "../api/types";
import { None, type Column } from "../components/DataTable";
import { Instant } from "../components/Instant";
import { Loaded } from "../components/Loaded";
import { Pager, type Paging } from "../components/Pager";
import { EmptyState } from "../components/states";
import { formatElapsed, formatInstant, formatNumber } from "../format";
import { tasksAtQuery } from "../services/tasks";
import { tasksWords } from "../taskWords";
import { statusesWords } from "./filters";
import type { TaskToSet } from "./statusUpdate";
import { TaskDataTable } from "./TaskDataTable";

interface Props {
  workflowId: number;
  /** An instant of the API; null for now, which moves on. */
  at: string | null;
  /** Letters, names or the API's unions of statuses. */
  statuses: readonly string[];
  /** Only these templates; all of them where it is empty. */
  templates: readonly string[];
  /** Where the page is kept, as in the URL; without it the table keeps it. */
  paging?: Paging;
  /** What to do where no task is found. */
  emptyAction?: ReactNode;
  /** Sets the status of chosen tasks; without it none can be chosen. */
  onSetStatus?: ((tasks: readonly TaskToSet[]) => void) | undefined;
}

/** The tasks that were in some statuses at an instant, those that had been in it for longest first. */
export function TasksTable(props: Props) {
  const { workflowId, at, statuses, templates, paging } = props;
  const list = JSON.stringify([workflowId, at, statuses, templates]);
  // Another list begins with its first page.
  return paging === undefined ? (
    <OwnPages key={list} {...props} />
  ) : (
    <TasksPage {...props} paging={paging} />
  );
}

function OwnPages(props: Props) {
  const [cursor, onCursor] = useState("");
  return <TasksPage {...props} paging={{ cursor, onCursor }} />;
}

function TasksPage(props: Props & { paging: Paging }) {
  const { workflowId, at, statuses, templates, paging, emptyAction, onSetStatus } = props;
  const tasks = useQuery(
    tasksAtQuery(workflowId, {
      status: [...statuses],
      ...(templates.length > 0 && { task_template_name: [...templates] }),
      ...(at !== null && { at }),
      ...(paging.cursor !== "" && { cursor: paging.cursor }),
    }),
  );
  return (
    <Stack sx={{ gap: 2 }}>
      <Loaded query={tasks} what="The tasks">
        {(data) =>
          data?.tasks.length === 0 ? (
            <EmptyState title={nobody(data)} action={emptyAction}>
              Tasks are listed here for the status, the instant and the templates that are chosen.
            </EmptyState>
          ) : (
            <>
              <Box sx={{ px: 1.5, py: 1.5, minHeight: 44, typography: "body2" }}>
                {data !== null && <Level list={data} now={at === null} />}
              </Box>
              <TaskDataTable
                label="Tasks"
                columns={columns}
                rows={data?.tasks ?? null}
                onSetStatus={onSetStatus}
              />
            </>
          )
        }
      </Loaded>
      <Pager {...paging} next={tasks.data?.next_cursor ?? null} />
    </Stack>
  );
}

function Level({ list, now }: { list: TaskAtList; now: boolean }) {
  const statuses = statusesWords(list.statuses);
  return (
    <>
      <strong aria-live="polite">{tasksWords(list.level)}</strong>{" "}
      {statuses !== "" && `had the status ${statuses} `}
      at {formatInstant(list.at)}
      {now && ", the time of this list"}
      {list.rows_from !== null && (
        <Box component="span" sx={{ color: "text.secondary" }}>
          {" "}
          (tasks can be listed from {formatInstant(list.rows_from)} on)
        </Box>
      )}
    </>
  );
}

function nobody({ statuses, at }: TaskAtList): string {
  const words = statusesWords(statuses);
  return `No task ${words === "" ? "was there" : `had the status ${words}`} at ${formatInstant(at)}`;
}

const columns: readonly Column<TaskAt>[] = [
  { id: "since", name: "Since (UTC)", cell: ({ since }) => <Instant instant={since} /> },
  { id: "for", name: "For", align: "right", cell: ({ seconds }) => <Elapsed seconds={seconds} /> },
  {
    id: "until",
    name: "Until (UTC)",
    cell: ({ until, total_seconds }) =>
      until === null ? (
        "ongoing"
      ) : (
        <>
          <Instant instant={until} />
          {total_seconds !== null && (
            <Box sx={{ color: "text.secondary" }}>after {formatElapsed(total_seconds)}</Box>
          )}
        </>
      ),
  },
  {
    id: "attempt",
    name: "Attempt",
    align: "right",
    cell: ({ attempt }) => (attempt === null ? <None /> : formatNumber(attempt)),
  },
  { id: "node", name: "Node", minWidth: 110, cell: ({ nodename }) => nodename ?? <None /> },
];

function Elapsed({ seconds }: { seconds: number }) {
  return <span style={{ whiteSpace: "nowrap" }}>{formatElapsed(seconds)}</span>;
}
