import Box from "@mui/material/Box";
import Link from "@mui/material/Link";
import Skeleton from "@mui/material/Skeleton";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import { Link as RouterLink, useNavigate } from "react-router";
import type { Workflow } from "../api/types";
import { StatusChip } from "../components/StatusChip";
import { formatInstant, formatTime } from "../format";
import { limitWords } from "../workflowWords";

const columns = [
  "Name",
  "Status",
  "Owner",
  "Tool",
  "Limit",
  "Created (UTC)",
  "Last activity (UTC)",
];
const loadingRows = 6;

interface Props {
  /** Null while they are being loaded. */
  workflows: readonly Workflow[] | null;
}

export function WorkflowTable({ workflows }: Props) {
  return (
    <TableContainer>
      <Table aria-label="Workflows" aria-busy={workflows === null}>
        <TableHead>
          <TableRow>
            {columns.map((column) => (
              <TableCell
                key={column}
                align={column === "Limit" ? "right" : "left"}
                sx={{ color: "text.secondary", py: 1.25 }}
              >
                {column}
              </TableCell>
            ))}
          </TableRow>
        </TableHead>
        <TableBody>
          {workflows === null
            ? Array.from({ length: loadingRows }, (_, i) => (
                <TableRow key={i}>
                  {columns.map((column) => (
                    <TableCell key={column}>
                      <Skeleton />
                    </TableCell>
                  ))}
                </TableRow>
              ))
            : workflows.map((workflow) => <WorkflowRow key={workflow.id} workflow={workflow} />)}
        </TableBody>
      </Table>
    </TableContainer>
  );
}

function WorkflowRow({ workflow }: { workflow: Workflow }) {
  const navigate = useNavigate();
  const to = `/workflows/${workflow.id}`;
  return (
    // The row is a larger target for the mouse; the link is what the keyboard and readers use.
    <TableRow
      hover
      sx={{ cursor: "pointer", "&:last-child td": { borderBottom: 0 } }}
      onClick={(event) => {
        if (!event.defaultPrevented) void navigate(to);
      }}
    >
      <TableCell sx={{ fontWeight: 600, maxWidth: 520, overflowWrap: "anywhere" }}>
        <Link
          component={RouterLink}
          to={to}
          underline="hover"
          sx={{ display: "inline-flex", alignItems: "center", minHeight: 24 }}
          onClick={(event) => event.stopPropagation()}
        >
          {workflow.name}
        </Link>
      </TableCell>
      <TableCell>
        <StatusChip status={workflow.status} name={workflow.status_name} />
      </TableCell>
      <TableCell>{workflow.user ?? "–"}</TableCell>
      <TableCell>{workflow.tool}</TableCell>
      <TableCell align="right">{limitWords(workflow.max_concurrently_running)}</TableCell>
      <TableCell sx={{ whiteSpace: "nowrap" }}>
        <Instant instant={workflow.created_at} />
      </TableCell>
      <TableCell sx={{ whiteSpace: "nowrap" }}>
        {workflow.active ? (
          <Box component="span" sx={{ fontWeight: 600 }}>
            Tasks are active
          </Box>
        ) : (
          <Instant instant={workflow.last_transition_at} />
        )}
      </TableCell>
    </TableRow>
  );
}

function Instant({ instant }: { instant: string | null }) {
  if (instant === null) return <>–</>;
  return (
    <time dateTime={instant} title={formatInstant(instant)}>
      {formatTime(Date.parse(instant))}
    </time>
  );
}
