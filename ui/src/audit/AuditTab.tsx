import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import { useQuery } from "@tanstack/react-query";
import type { TaskStatusChange, Workflow } from "../api/types";
import { DataTable, None, type Column } from "../components/DataTable";
import { IdField } from "../components/IdField";
import { Instant } from "../components/Instant";
import { InstantField } from "../components/InstantField";
import { Loaded } from "../components/Loaded";
import { NameLink } from "../components/NameLink";
import { Pager } from "../components/Pager";
import { EmptyState } from "../components/states";
import { StatusSelect } from "../components/StatusSelect";
import { TaskStatusLabel } from "../components/TaskStatusLabel";
import { TemplateSelect } from "../components/TemplateSelect";
import { formatElapsed, formatInstant } from "../format";
import { useListParams } from "../routes/useListParams";
import { taskPage } from "../routes/workflowLinks";
import { statusChangesQuery } from "../services/audit";
import { auditQuery, isFiltered, parseAuditView } from "./query";

/** As many changes as the server puts on a page unless asked for more. */
const pageSize = 100;

/** Every status that a task of the workflow entered, the latest first. */
export function AuditTab({ workflow }: { workflow: Workflow }) {
  const { params, filter, clear, paging } = useListParams();
  const view = parseAuditView(params);
  const changes = useQuery(statusChangesQuery(workflow.id, auditQuery(view, paging.cursor)));
  const { data } = changes;
  const one = (value: string | null) => (value === null || value === "" ? [] : [value]);
  return (
    <Stack sx={{ gap: 2 }}>
      <Stack
        role="search"
        aria-label="Filters"
        direction="row"
        sx={{ flexWrap: "wrap", alignItems: "flex-start", gap: 1.5 }}
      >
        <InstantField
          label="From"
          value={view.start}
          none="the beginning"
          onChange={(start) => filter("start", one(start))}
        />
        <InstantField
          label="Until"
          value={view.end}
          none="now"
          onChange={(end) => filter("end", one(end))}
        />
        <StatusSelect
          label="Left"
          value={view.from}
          onChange={(statuses) => filter("from", statuses)}
        />
        <StatusSelect
          label="Entered"
          value={view.to}
          onChange={(statuses) => filter("to", statuses)}
        />
        <TemplateSelect
          workflowId={workflow.id}
          value={view.templates}
          onChange={(templates) => filter("template", templates)}
        />
        <IdField label="Task id" value={view.task} onChange={(task) => filter("task", one(task))} />
        {isFiltered(view) && (
          <Button onClick={clear} sx={{ minHeight: 40 }}>
            Clear
          </Button>
        )}
      </Stack>
      <Loaded query={changes} what="The audit">
        {(list) =>
          list?.task_status_changes.length === 0 ? (
            <NoChanges more={list.next_cursor !== null} filtered={isFiltered(view)} />
          ) : (
            <DataTable
              label="Changes of status"
              columns={columns}
              rows={list?.task_status_changes ?? null}
              rowKey={(change) => change.id}
              sort={{ by: "at", descending: view.newestFirst }}
              onSort={() => filter("order", view.newestFirst ? ["asc"] : [])}
            />
          )
        }
      </Loaded>
      {data !== undefined && (
        <Stack sx={{ gap: 1, typography: "body2", color: "text.secondary" }}>
          {data.next_cursor !== null &&
            data.task_status_changes.length > 0 &&
            data.task_status_changes.length < pageSize && (
              <div>
                This page is short and not the last: it ends where the server had looked at as many
                changes as it does at once.
              </div>
            )}
          {data.rows_from !== null && (
            <div>Changes before {formatInstant(data.rows_from)} are removed.</div>
          )}
          <Pager {...paging} next={data.next_cursor} />
        </Stack>
      )}
    </Stack>
  );
}

function NoChanges({ more, filtered }: { more: boolean; filtered: boolean }) {
  if (more) {
    return (
      <EmptyState title="Nothing was found so far">
        The server has looked at as many changes as it does at once. The next page goes on from
        there.
      </EmptyState>
    );
  }
  return (
    <EmptyState title={filtered ? "No change matches" : "No task has changed its status yet"}>
      {filtered
        ? "Try a longer time, other statuses or other templates."
        : "Each status that a task enters is listed here, for as long as it is kept."}
    </EmptyState>
  );
}

const columns: readonly Column<TaskStatusChange>[] = [
  {
    id: "at",
    name: "At (UTC)",
    sortable: true,
    cell: ({ changed_at }) => <Instant instant={changed_at} />,
  },
  {
    id: "task",
    name: "Task",
    minWidth: 200,
    cell: ({ task_id, task_name }) => <NameLink to={taskPage(task_id)}>{task_name}</NameLink>,
  },
  {
    id: "template",
    name: "Template",
    minWidth: 140,
    cell: (change) => <bdi>{change.task_template_name}</bdi>,
  },
  {
    id: "left",
    name: "Left",
    cell: ({ previous_status }) =>
      previous_status === null ? "is new" : <TaskStatusLabel status={previous_status} />,
  },
  {
    id: "after",
    name: "After",
    align: "right",
    cell: ({ duration_seconds }) =>
      duration_seconds === null ? (
        <None />
      ) : (
        <Box component="span" sx={{ whiteSpace: "nowrap" }}>
          {formatElapsed(duration_seconds)}
        </Box>
      ),
  },
  {
    id: "entered",
    name: "Entered",
    cell: ({ new_status }) => <TaskStatusLabel status={new_status} />,
  },
  {
    id: "stored",
    name: "Recorded (UTC)",
    cell: ({ stored_at }) => <Instant instant={stored_at} />,
  },
];
