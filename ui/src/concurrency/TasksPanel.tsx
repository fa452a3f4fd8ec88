import Box from "@mui/material/Box";
import Drawer from "@mui/material/Drawer";
import IconButton from "@mui/material/IconButton";
import Skeleton from "@mui/material/Skeleton";
import Typography from "@mui/material/Typography";
import { CloseIcon } from "../components/icons";
import { InstantField } from "../components/InstantField";
import { lazy } from "../components/lazy";
import { Part } from "../components/Part";
import type { Status } from "./view";

interface Props {
  workflowId: number;
  /** The instant of which the tasks are listed; null while the panel is closed. */
  at: string | null;
  status: Status;
  templates: readonly string[];
  onAt: (at: string | null) => void;
}

const table = lazy(() => import("../tasks/TasksTable").then((m) => m.TasksTable));

/** The tasks behind the count at an instant, beside the chart. */
export function TasksPanel({ workflowId, at, status, templates, onAt }: Props) {
  const title = "tasks-panel-title";
  return (
    <Drawer
      anchor="right"
      open={at !== null}
      onClose={() => onAt(null)}
      slotProps={{
        paper: {
          role: "dialog",
          "aria-labelledby": title,
          sx: { width: 860, maxWidth: "100%" },
        },
      }}
    >
      {at !== null && (
        <Box sx={{ p: 2, display: "flex", flexDirection: "column", gap: 2, minHeight: 0 }}>
          <Box sx={{ display: "flex", alignItems: "start", gap: 1 }}>
            <Typography id={title} variant="h2" sx={{ flex: 1 }}>
              Tasks in {status}
              {templates.length > 0 && ` of ${templates.join(", ")}`}
            </Typography>
            <IconButton aria-label="Close" onClick={() => onAt(null)}>
              <CloseIcon />
            </IconButton>
          </Box>
          <InstantField label="At" none="" value={at} onChange={(next) => onAt(next ?? at)} />
          <Part
            code={table}
            props={{ workflowId, at, statuses: [status], templates }}
            placeholder={<Skeleton variant="rounded" height={320} aria-label="Loading the tasks" />}
          />
        </Box>
      )}
    </Drawer>
  );
}
