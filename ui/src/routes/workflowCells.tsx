import Box from "@mui/material/Box";
import Link from "@mui/material/Link";
import Typography from "@mui/material/Typography";
import { Link as RouterLink } from "react-router";
import type { Workflow } from "../api/types";
import { formatInstant, formatTime } from "../format";

interface Props {
  workflow: Workflow;
}

/** The name, linked to the timeline, over the number that the search finds too, and the tool. */
export function WorkflowName({ workflow }: Props) {
  return (
    <Box sx={{ overflowWrap: "anywhere" }}>
      <Link
        component={RouterLink}
        to={`/workflows/${workflow.id}`}
        underline="hover"
        dir="auto"
        sx={{ display: "inline-flex", alignItems: "center", minHeight: 24, fontWeight: 600 }}
        onClick={(event) => event.stopPropagation()}
      >
        {workflow.name}
      </Link>
      <Typography variant="caption" component="div" sx={{ color: "text.secondary" }}>
        #{workflow.id} · {workflow.tool}
      </Typography>
    </Box>
  );
}

export function LastActivity({ workflow }: Props) {
  const { active, last_transition_at: last } = workflow;
  if (active) {
    return (
      <Box component="span" sx={{ fontWeight: 600 }}>
        Tasks are active
      </Box>
    );
  }
  if (last === null) return <>–</>;
  return (
    <time dateTime={last} title={formatInstant(last)}>
      {formatTime(Date.parse(last))}
    </time>
  );
}
