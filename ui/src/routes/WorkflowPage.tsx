import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Link from "@mui/material/Link";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import Tab from "@mui/material/Tab";
import Tabs from "@mui/material/Tabs";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link as RouterLink, useParams } from "react-router";
import { ApiError } from "../api/client";
import type { Workflow } from "../api/types";
import { EmptyState, ErrorState } from "../components/states";
import { StatusChip } from "../components/StatusChip";
import { ConcurrencyTab } from "../concurrency/ConcurrencyTab";
import { formatInstant } from "../format";
import { workflowQuery } from "../services/workflows";
import { limitWords } from "../workflowWords";
import { useTitle } from "./useTitle";

export function WorkflowPage() {
  const { id = "" } = useParams();
  // An address with anything else in the number's place names no workflow: the server need not be asked.
  if (!/^[1-9]\d{0,15}$/.test(id)) return <NoSuchWorkflow />;
  return <WorkflowById key={id} id={Number(id)} />;
}

function WorkflowById({ id }: { id: number }) {
  const workflow = useQuery(workflowQuery(id));
  useTitle(workflow.data?.name ?? "Workflow");
  if (workflow.data !== undefined) {
    return (
      <Stack sx={{ gap: 2 }}>
        <WorkflowHeader workflow={workflow.data} />
        <WorkflowTabs workflow={workflow.data} />
      </Stack>
    );
  }
  if (workflow.isError) {
    if (workflow.error instanceof ApiError && workflow.error.code === "not_found") {
      return <NoSuchWorkflow />;
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
      <Link
        component={RouterLink}
        to="/"
        variant="body2"
        sx={{ display: "inline-flex", alignItems: "center", minHeight: 24 }}
      >
        Workflows
      </Link>
      <Stack direction="row" sx={{ alignItems: "center", flexWrap: "wrap", gap: 1.5 }}>
        <Typography variant="h1" sx={{ overflowWrap: "anywhere" }}>
          {workflow.name}
        </Typography>
        <StatusChip status={workflow.status} name={workflow.status_name} />
      </Stack>
      <Stack
        component="dl"
        direction="row"
        sx={{ flexWrap: "wrap", columnGap: 3, rowGap: 0.5, m: 0, mt: 1 }}
      >
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
      </Stack>
    </Box>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Stack direction="row" sx={{ gap: 0.75, typography: "body2" }}>
      <Box component="dt" sx={{ color: "text.secondary" }}>
        {name}
      </Box>
      <Box component="dd" sx={{ m: 0, fontVariantNumeric: "tabular-nums" }}>
        {children}
      </Box>
    </Stack>
  );
}

/** Each tab of a workflow: what it is called and what it shows. */
const tabs = [{ id: "concurrency", label: "Concurrency", Content: ConcurrencyTab }] as const;

function WorkflowTabs({ workflow }: { workflow: Workflow }) {
  const current = tabs[0];
  return (
    <div>
      <Tabs
        value={current.id}
        aria-label="Views of the workflow"
        sx={{ borderBottom: 1, borderColor: "divider", mb: 2, minHeight: 40 }}
      >
        {tabs.map(({ id, label }) => (
          <Tab
            key={id}
            value={id}
            label={label}
            id={`tab-${id}`}
            aria-controls={`panel-${id}`}
            sx={{ minHeight: 40 }}
          />
        ))}
      </Tabs>
      <div role="tabpanel" id={`panel-${current.id}`} aria-labelledby={`tab-${current.id}`}>
        <current.Content workflow={workflow} />
      </div>
    </div>
  );
}

function NoSuchWorkflow() {
  useTitle("No such workflow");
  return (
    <EmptyState
      title="There is no such workflow"
      action={
        <Button component={RouterLink} to="/" variant="outlined">
          All workflows
        </Button>
      }
    >
      The number in the address is not that of a workflow on this server.
    </EmptyState>
  );
}
