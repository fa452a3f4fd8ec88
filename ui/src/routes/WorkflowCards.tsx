import Box from "@mui/material/Box";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import type { ReactNode } from "react";
import type { Workflow } from "../api/types";
import { Sparkline } from "../components/Sparkline";
import { StatusChip } from "../components/StatusChip";
import { TaskStatusBar } from "../components/TaskStatusBar";
import { formatNumber } from "../format";
import { Help, type HelpKey } from "../help/Help";
import { LastActivity, WorkflowName } from "./workflowCells";

const loadingCards = 4;
const card = { p: 2, gap: 1.25, "& + &": { borderTop: 1, borderColor: "divider" } } as const;

interface Props {
  /** Null while they are being loaded. */
  workflows: readonly Workflow[] | null;
  /** Whether what they do is on its way. */
  counting: boolean;
}

/** What the table of workflows tells, where there is no room for a table. */
export function WorkflowCards({ workflows, counting }: Props) {
  return (
    <Box
      component="ul"
      aria-label="Workflows"
      aria-busy={workflows === null}
      sx={{ listStyle: "none", m: 0, p: 0 }}
    >
      {workflows === null
        ? Array.from({ length: loadingCards }, (_, i) => (
            <Stack key={i} component="li" sx={card}>
              <Skeleton width="60%" />
              <Skeleton variant="rounded" height={96} />
            </Stack>
          ))
        : workflows.map((workflow) => (
            <WorkflowCard key={workflow.id} workflow={workflow} counting={counting} />
          ))}
    </Box>
  );
}

function WorkflowCard({ workflow, counting }: { workflow: Workflow; counting: boolean }) {
  const { activity } = workflow;
  return (
    <Stack component="li" sx={card}>
      <Stack direction="row" sx={{ justifyContent: "space-between", gap: 1 }}>
        <WorkflowName workflow={workflow} />
        <Box sx={{ flexShrink: 0 }}>
          <StatusChip status={workflow.status} name={workflow.status_name} />
        </Box>
      </Stack>
      {activity === undefined ? (
        counting && <Skeleton variant="rounded" height={72} />
      ) : (
        <>
          <TaskStatusBar tasks={activity.tasks} />
          <Sparkline values={activity.sparkline} now={activity.generated_at} width={300} />
        </>
      )}
      <Box component="dl" sx={{ display: "flex", flexWrap: "wrap", columnGap: 3, m: 0 }}>
        {activity !== undefined && (
          <>
            <Fact name="Running now">{formatNumber(activity.running)}</Fact>
            <Fact name="Peak, 24 h" help="peak24h">
              {formatNumber(activity.peak_24h)}
            </Fact>
          </>
        )}
        <Fact name="Owner">{workflow.user ?? "–"}</Fact>
        <Fact name="Last activity (UTC)" help="active">
          <LastActivity workflow={workflow} />
        </Fact>
      </Box>
    </Stack>
  );
}

interface FactProps {
  name: string;
  help?: HelpKey;
  children: ReactNode;
}

function Fact({ name, help, children }: FactProps) {
  return (
    <Stack direction="row" sx={{ gap: 0.75, typography: "body2", minWidth: 0 }}>
      <Box component="dt" sx={{ color: "text.secondary" }}>
        {name}
        {help !== undefined && <Help about={[help]} sx={{ my: -0.5, verticalAlign: "middle" }} />}
      </Box>
      <Box component="dd" sx={{ m: 0, overflowWrap: "anywhere", minWidth: 0 }}>
        {children}
      </Box>
    </Stack>
  );
}
