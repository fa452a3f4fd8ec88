import Box from "@mui/material/Box";
import Link from "@mui/material/Link";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { Link as RouterLink, useParams } from "react-router";
import { ApiError } from "../api/client";
import type { Workflow } from "../api/types";
import { Fact, Facts } from "../components/Facts";
import { ErrorState } from "../components/states";
import { StatusChip } from "../components/StatusChip";
import { formatInstant } from "../format";
import { workflowQuery } from "../services/workflows";
import { limitWords } from "../workflowWords";
import { isId } from "./ids";
import { NotFoundPage } from "./NotFoundPage";
import { useTitle } from "./useTitle";
import { WorkflowTabs, workflowTabs } from "./WorkflowTabs";

export function WorkflowPage() {
  const { id = "", tab = "" } = useParams();
  // An address with anything else in the number's place names no workflow: the server need not be asked.
  if (!isId(id)) return <NotFoundPage what="workflow" />;
  return <WorkflowById key={id} id={Number(id)} path={tab} />;
}

function WorkflowById({ id, path }: { id: number; path: string }) {
  const workflow = useQuery(workflowQuery(id));
  const tab = workflowTabs.find((one) => one.path === path);
  const name = workflow.data?.name ?? "Workflow";
  useTitle(path === "" || tab === undefined ? name : `${tab.label} · ${name}`);
  if (tab === undefined) return <NotFoundPage />;
  if (workflow.data !== undefined) {
    return (
      <Stack sx={{ gap: 2 }}>
        <WorkflowHeader workflow={workflow.data} />
        <WorkflowTabs workflow={workflow.data} current={tab} />
      </Stack>
    );
  }
  if (workflow.isError) {
    if (workflow.error instanceof ApiError && workflow.error.code === "not_found") {
      return <NotFoundPage what="workflow" />;
    }
    return (
      <ErrorState
        title="The workflow could not be loaded"
        error={workflow.error}
        onRetry={() => void workflow.refetch()}
      />
    );
  }
  return (
    <Stack sx={{ gap: 2 }} aria-busy="true" aria-label="Loading the workflow">
      <Skeleton width={120} />
      <Skeleton variant="rounded" width="40%" height={32} />
      <Skeleton variant="rounded" height={560} />
    </Stack>
  );
}

function WorkflowHeader({ workflow }: { workflow: Workflow }) {
  const { first_transition_at, last_transition_at } = workflow;
  return (
    <Box component="header">
      <Stack direction="row" sx={{ alignItems: "center", flexWrap: "wrap", columnGap: 1 }}>
        <Link
          component={RouterLink}
          to="/"
          variant="body2"
          sx={{ display: "inline-flex", alignItems: "center", minHeight: 24 }}
        >
          Workflows
        </Link>
        <span aria-hidden="true">/</span>
        <Typography variant="h1" sx={{ overflowWrap: "anywhere" }}>
          {workflow.name}
        </Typography>
        <StatusChip status={workflow.status} name={workflow.status_name} />
      </Stack>
      <Facts>
        <Fact name="Id">{workflow.id}</Fact>
        <Fact name="Tool">{workflow.tool}</Fact>
        {workflow.user !== null && <Fact name="Owner">{workflow.user}</Fact>}
        <Fact name="Limit on active tasks">{limitWords(workflow.max_concurrently_running)}</Fact>
        {first_transition_at !== null && (
          <Fact name="First transition">{formatInstant(first_transition_at)}</Fact>
        )}
        {last_transition_at !== null && (
          <Fact name="Last transition">{formatInstant(last_transition_at)}</Fact>
        )}
      </Facts>
    </Box>
  );
}
