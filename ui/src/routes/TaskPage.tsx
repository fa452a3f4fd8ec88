import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Link from "@mui/material/Link";
import Paper from "@mui/material/Paper";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link as RouterLink, useParams } from "react-router";
import { ApiError } from "../api/client";
import type { TaskStatusHistory } from "../api/types";
import { Fact, Facts } from "../components/Facts";
import { NameLink } from "../components/NameLink";
import { ErrorState, StaleAlert } from "../components/states";
import { TaskStatusLabel } from "../components/TaskStatusLabel";
import { formatInstant, formatNumber } from "../format";
import { taskHistoryQuery } from "../services/tasks";
import { workflowQuery } from "../services/workflows";
import { Attempts } from "../task/Attempts";
import { HistoryBar } from "../task/HistoryBar";
import { Stays } from "../task/Stays";
import type { TaskToSet } from "../tasks/statusUpdate";
import { StatusUpdates } from "../tasks/StatusUpdates";
import { isId } from "./ids";
import { NotFoundPage } from "./NotFoundPage";
import { useTitle } from "./useTitle";
import { auditOfTask, templateOnChart } from "./workflowLinks";

/** What is known of one task: its history, its attempts and their errors. */
export function TaskPage() {
  const { id = "" } = useParams();
  // An address with anything else in the number's place names no task: the server need not be asked.
  if (!isId(id)) return <NotFoundPage what="task" />;
  return <TaskById key={id} id={Number(id)} />;
}

function TaskById({ id }: { id: number }) {
  const history = useQuery(taskHistoryQuery(id));
  const { data } = history;
  useTitle(data?.name ?? "Task");
  const retry = () => void history.refetch();
  if (data !== undefined) {
    return (
      <Stack sx={{ gap: 3 }}>
        <TaskHeader task={data} />
        {history.isError && (
          <StaleAlert error={history.error} dataAt={history.dataUpdatedAt} onRetry={retry} />
        )}
        <Omissions task={data} />
        <Stack component="section" aria-labelledby="history" sx={{ gap: 1.5 }}>
          <Typography variant="h2" id="history">
            History
          </Typography>
          <Paper sx={{ overflow: "hidden" }}>
            <HistoryBar task={data} />
            <Stays history={data.history} />
          </Paper>
        </Stack>
        <Stack component="section" aria-labelledby="attempts" sx={{ gap: 1.5 }}>
          <Typography variant="h2" id="attempts">
            Attempts
          </Typography>
          <Attempts attempts={data.instances} />
        </Stack>
        <Administration task={data} />
      </Stack>
    );
  }
  if (history.isError) {
    if (history.error instanceof ApiError && history.error.code === "not_found") {
      return <NotFoundPage what="task" />;
    }
    return (
      <ErrorState title="The task could not be loaded" error={history.error} onRetry={retry} />
    );
  }
  return (
    <Stack sx={{ gap: 2 }} aria-busy="true" aria-label="Loading the task">
      <Skeleton width={220} />
      <Skeleton variant="rounded" width="40%" height={32} />
      <Skeleton variant="rounded" height={320} />
    </Stack>
  );
}

function TaskHeader({ task }: { task: TaskStatusHistory }) {
  const workflow = useQuery(workflowQuery(task.workflow_id));
  const name = workflow.data?.name ?? `Workflow ${task.workflow_id}`;
  return (
    <header>
      <Stack
        component="nav"
        aria-label="Where this page is"
        direction="row"
        sx={{ flexWrap: "wrap", alignItems: "center", columnGap: 1, typography: "body2" }}
      >
        <Crumb to="/">Workflows</Crumb>
        <span aria-hidden="true">/</span>
        <Crumb to={`/workflows/${task.workflow_id}`}>{name}</Crumb>
        <span aria-hidden="true">/</span>
        <Crumb to={`/workflows/${task.workflow_id}/tasks`}>Tasks</Crumb>
      </Stack>
      <Typography variant="h1" sx={{ overflowWrap: "anywhere" }}>
        <bdi>{task.name}</bdi>
      </Typography>
      <Facts>
        <Fact name="Status">
          <TaskStatusLabel status={task.status} /> since {formatInstant(task.since)}
        </Fact>
        <Fact name="Id">{task.id}</Fact>
        <Fact name="Template">
          <NameLink to={templateOnChart(task.workflow_id, task.task_template_name)}>
            {task.task_template_name}
          </NameLink>
        </Fact>
        <Fact name="Attempts">
          {formatNumber(task.num_attempts)} of {formatNumber(task.max_attempts)}
        </Fact>
      </Facts>
    </header>
  );
}

function Crumb({ to, children }: { to: string; children: string }) {
  return (
    <Link
      component={RouterLink}
      to={to}
      sx={{
        display: "inline-flex",
        alignItems: "center",
        minHeight: 24,
        overflowWrap: "anywhere",
        minWidth: 0,
      }}
    >
      <bdi>{children}</bdi>
    </Link>
  );
}

/** What the page cannot show, and why. */
function Omissions({ task }: { task: TaskStatusHistory }) {
  return (
    <>
      {task.history_from !== null && (
        <Alert severity="info" variant="outlined">
          What was before {formatInstant(task.history_from)} is not known: transitions before it are
          removed.
        </Alert>
      )}
      {task.truncated && (
        <Alert severity="info" variant="outlined">
          This is the latest part of what is known: earlier stays, attempts or errors, or the ends
          of texts, were left out. All its changes of status are{" "}
          <Link component={RouterLink} to={auditOfTask(task.workflow_id, task.id)}>
            in the audit
          </Link>
          .
        </Alert>
      )}
    </>
  );
}

function Administration({ task }: { task: TaskStatusHistory }) {
  const workflow = useQuery(workflowQuery(task.workflow_id));
  const [asked, setAsked] = useState<readonly TaskToSet[] | null>(null);
  return (
    <Stack component="section" aria-labelledby="administration" sx={{ gap: 1.5 }}>
      <Typography variant="h2" id="administration">
        Administration
      </Typography>
      <StatusUpdates
        workflowId={task.workflow_id}
        workflowName={workflow.data?.name ?? `number ${task.workflow_id}`}
        asked={asked}
        onClose={() => setAsked(null)}
      />
      <Paper
        sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 2, px: 2, py: 1.5 }}
      >
        <Typography variant="body2" sx={{ flex: "1 1 280px" }}>
          The task can be run again, or taken for done. You are asked before anything is changed.
        </Typography>
        <Button variant="outlined" onClick={() => setAsked([task])}>
          Set status…
        </Button>
      </Paper>
    </Stack>
  );
}
