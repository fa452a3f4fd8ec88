import type { TaskStay } from "../api/types";
import { DataTable, None, type Column } from "../components/DataTable";
import { Instant } from "../components/Instant";
import { Latest } from "../components/Latest";
import { TaskStatusLabel } from "../components/TaskStatusLabel";
import { formatElapsed, formatNumber } from "../format";
import { isFinal } from "../taskWords";

/** The stays of a task in statuses, in order. */
export function Stays({ history }: { history: readonly TaskStay[] }) {
  return (
    <Latest items={history} what="stays">
      {(stays) => (
        <DataTable
          label="Stays in statuses"
          columns={columns}
          rows={stays}
          rowKey={(stay) => history.indexOf(stay)}
        />
      )}
    </Latest>
  );
}

const columns: readonly Column<TaskStay>[] = [
  { id: "status", name: "Status", cell: ({ status }) => <TaskStatusLabel status={status} /> },
  { id: "from", name: "From (UTC)", cell: ({ from }) => <Instant instant={from} /> },
  {
    id: "until",
    name: "Until (UTC)",
    cell: ({ until }) => (until === null ? "ongoing" : <Instant instant={until} />),
  },
  {
    id: "duration",
    name: "Duration",
    align: "right",
    cell: ({ status, until, duration_seconds }) =>
      until === null && isFinal(status) ? (
        <None />
      ) : (
        <span style={{ whiteSpace: "nowrap" }}>{formatElapsed(duration_seconds)}</span>
      ),
  },
  {
    id: "attempt",
    name: "Attempt",
    align: "right",
    cell: ({ attempt }) => (attempt === null ? <None /> : formatNumber(attempt)),
  },
];
