import Box from "@mui/material/Box";
import Skeleton from "@mui/material/Skeleton";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import { useNavigate } from "react-router";
import type { Workflow } from "../api/types";
import { Sparkline } from "../components/Sparkline";
import { StatusChip } from "../components/StatusChip";
import { TaskStatusBar } from "../components/TaskStatusBar";
import { formatNumber } from "../format";
import { Help, type HelpKey } from "../help/Help";
import { LastActivity, WorkflowName } from "./workflowCells";

/** With widths in pixels, so that nothing moves when the workflows come; names have what is left. */
const columns: readonly { label: string; width: number; right?: boolean; help?: HelpKey }[] = [
  { label: "Name", width: 196 },
  { label: "Owner", width: 110 },
  { label: "Status", width: 116 },
  { label: "Tasks by status", width: 206, help: "statuses" },
  { label: "Running now", width: 123, right: true },
  { label: "Peak, 24 h", width: 106, right: true, help: "peak24h" },
  { label: "Running, last 24 h", width: 176 },
  { label: "Last activity (UTC)", width: 182, help: "active" },
];
const loadingRows = 6;
const rowHeight = 65;
const number = { fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" } as const;

/** The column is no wider for it. */
const inPadding = { my: -0.5, mr: -2, verticalAlign: "middle" };

interface Props {
  /** Null while they are being loaded. */
  workflows: readonly Workflow[] | null;
  /** Whether what they do is on its way. */
  counting: boolean;
}

export function WorkflowTable({ workflows, counting }: Props) {
  return (
    <TableContainer>
      <Table aria-label="Workflows" aria-busy={workflows === null}>
        <TableHead>
          <TableRow>
            {columns.map(({ label, width, right, help }, i) => (
              <TableCell
                key={label}
                align={right ? "right" : "left"}
                aria-label={help === undefined ? undefined : label}
                sx={{
                  minWidth: width,
                  width: i === 0 ? "100%" : undefined,
                  color: "text.secondary",
                  py: 1.25,
                  whiteSpace: "nowrap",
                }}
              >
                {label}
                {help !== undefined && <Help about={[help]} sx={inPadding} />}
              </TableCell>
            ))}
          </TableRow>
        </TableHead>
        <TableBody>
          {workflows === null
            ? Array.from({ length: loadingRows }, (_, i) => (
                <TableRow key={i} sx={{ height: rowHeight }}>
                  {columns.map(({ label }) => (
                    <TableCell key={label}>
                      <Skeleton />
                    </TableCell>
                  ))}
                </TableRow>
              ))
            : workflows.map((workflow) => (
                <WorkflowRow key={workflow.id} workflow={workflow} counting={counting} />
              ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}

function WorkflowRow({ workflow, counting }: { workflow: Workflow; counting: boolean }) {
  const navigate = useNavigate();
  const { activity } = workflow;
  const unknown = counting ? <Skeleton /> : "–";
  return (
    // The row is a larger target for the mouse; the link is what the keyboard and readers use.
    <TableRow
      hover
      sx={{ cursor: "pointer", height: rowHeight, "&:last-child td": { borderBottom: 0 } }}
      onClick={(event) => {
        if (!event.defaultPrevented) void navigate(`/workflows/${workflow.id}`);
      }}
    >
      <TableCell sx={{ py: 1 }}>
        <WorkflowName workflow={workflow} />
      </TableCell>
      <TableCell sx={{ overflowWrap: "anywhere" }}>{workflow.user ?? "–"}</TableCell>
      <TableCell>
        <StatusChip status={workflow.status} name={workflow.status_name} />
      </TableCell>
      <TableCell sx={{ py: 1 }}>
        {activity === undefined ? unknown : <TaskStatusBar tasks={activity.tasks} />}
      </TableCell>
      <TableCell align="right" sx={number}>
        <Box component="span" sx={{ fontWeight: activity?.running ? 650 : undefined }}>
          {activity === undefined ? unknown : formatNumber(activity.running)}
        </Box>
      </TableCell>
      <TableCell align="right" sx={number}>
        {activity === undefined ? unknown : formatNumber(activity.peak_24h)}
      </TableCell>
      <TableCell sx={{ py: 1 }}>
        {activity === undefined ? (
          unknown
        ) : (
          <Sparkline values={activity.sparkline} now={activity.generated_at} width={144} />
        )}
      </TableCell>
      <TableCell sx={number}>
        <LastActivity workflow={workflow} />
      </TableCell>
    </TableRow>
  );
}
