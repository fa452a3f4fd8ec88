import Alert from "@mui/material/Alert";
import AlertTitle from "@mui/material/AlertTitle";
import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "react-router";
import type { Suspect } from "../api/types";
import type { Column } from "../components/DataTable";
import { Instant } from "../components/Instant";
import { Loaded } from "../components/Loaded";
import { Pager } from "../components/Pager";
import { ErrorState } from "../components/states";
import { formatInstant } from "../format";
import { suspectsHash } from "../routes/workflowLinks";
import { suspectsQuery } from "../services/tasks";
import { statusWords, tasksWords } from "../taskWords";
import type { TaskToSet } from "./statusUpdate";
import { TaskDataTable } from "./TaskDataTable";

interface Props {
  workflowId: number;
  onSetStatus: (tasks: readonly TaskToSet[]) => void;
}

/** Tasks that count as active though nobody would move them on; nothing where there are none. */
export function Suspects({ workflowId, onSetStatus }: Props) {
  const { hash } = useLocation();
  const [open, setOpen] = useState(hash === suspectsHash);
  const [cursor, onCursor] = useState("");
  const suspects = useQuery(suspectsQuery(workflowId, cursor === "" ? {} : { cursor }));
  const { data } = suspects;
  if (data === undefined && suspects.isError) {
    return (
      <ErrorState
        title="The suspects could not be loaded"
        error={suspects.error}
        onRetry={() => void suspects.refetch()}
      />
    );
  }
  if (data === undefined || data.count === 0) return null;
  const one = data.count === 1;
  return (
    <Stack component="section" aria-label="Suspects" sx={{ gap: 2 }}>
      <Alert
        severity="warning"
        variant="outlined"
        role="status"
        action={
          <Button color="inherit" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "Hide" : "Show"}
          </Button>
        }
      >
        <AlertTitle>
          {tasksWords(data.count)} {one ? "counts" : "count"} as active and may not be
        </AlertTitle>
        Nobody would move {one ? "it" : "them"} on
        {data.since !== null && <>, since {formatInstant(data.since)}</>}: the workflow run that{" "}
        {one ? "it belongs" : "they belong"} to has ended, or was not heard of in time.
      </Alert>
      {open && (
        <>
          <Loaded query={suspects} what="The suspects">
            {(list) => (
              <TaskDataTable
                label="Suspects"
                columns={columns}
                rows={list?.tasks ?? null}
                onSetStatus={onSetStatus}
              />
            )}
          </Loaded>
          <Pager cursor={cursor} onCursor={onCursor} next={data.next_cursor} />
        </>
      )}
    </Stack>
  );
}

/** Why a task is suspect, as the run it belongs to tells. */
export function reasonOf({ reason, workflow_run: run }: Suspect): string {
  return reason === "run_ended"
    ? `Workflow run ${run.id} ended, ${statusWords(run.status_name).toLowerCase()}, at ${formatInstant(run.status_at)}`
    : `Workflow run ${run.id} should have been heard of by ${formatInstant(run.heartbeat_by)}`;
}

const columns: readonly Column<Suspect>[] = [
  { id: "since", name: "Suspect since (UTC)", cell: ({ since }) => <Instant instant={since} /> },
  { id: "reason", name: "Why", minWidth: 260, cell: reasonOf },
];
