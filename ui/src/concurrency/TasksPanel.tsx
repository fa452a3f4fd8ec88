import Box from "@mui/material/Box";
import Drawer from "@mui/material/Drawer";
import IconButton from "@mui/material/IconButton";
import Typography from "@mui/material/Typography";
import { CloseIcon } from "../components/icons";
import { formatInstant } from "../format";
import type { Status } from "./view";

interface Props {
  workflowId: number;
  /** The instant of which the tasks are listed; null while the panel is closed. */
  at: string | null;
  status: Status;
  templates: readonly string[];
  onAt: (at: string | null) => void;
}

/** The tasks behind the count at an instant, beside the chart. */
export function TasksPanel({ at, status, onAt }: Props) {
  return (
    <Drawer
      anchor="right"
      open={at !== null}
      onClose={() => onAt(null)}
      slotProps={{ paper: { sx: { width: 720, maxWidth: "100%" }, "aria-label": "Tasks" } }}
    >
      {at !== null && (
        <Box sx={{ p: 2, display: "flex", flexDirection: "column", gap: 1.5, minHeight: 0 }}>
          <Box sx={{ display: "flex", alignItems: "start", gap: 1 }}>
            <Box sx={{ flex: 1 }}>
              <Typography variant="h2">Tasks in {status}</Typography>
              <Box sx={{ typography: "body2", color: "text.secondary" }}>
                at {formatInstant(at)}
              </Box>
            </Box>
            <IconButton aria-label="Close" onClick={() => onAt(null)}>
              <CloseIcon />
            </IconButton>
          </Box>
        </Box>
      )}
    </Drawer>
  );
}
