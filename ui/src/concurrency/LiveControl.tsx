import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { PauseIcon, PlayIcon } from "../components/icons";
import { formatTime } from "../format";

interface Props {
  live: boolean;
  /** When the numbers on screen came, in milliseconds; 0 before that. */
  dataAt: number;
  onLive: (live: boolean) => void;
}

/** Whether a window that ends now follows the time, and how old its numbers are. */
export function LiveControl({ live, dataAt, onLive }: Props) {
  return (
    <Box sx={{ display: "inline-flex", alignItems: "center", gap: 1 }}>
      <Button
        variant="outlined"
        startIcon={live ? <PauseIcon /> : <PlayIcon />}
        onClick={() => onLive(!live)}
      >
        {live ? "Pause" : "Go live"}
      </Button>
      <Box
        component="span"
        title={dataAt > 0 ? `${formatTime(dataAt)} UTC` : undefined}
        sx={{ typography: "body2", color: "text.secondary", whiteSpace: "nowrap" }}
      >
        {dataAt > 0 && `as of ${formatTime(dataAt).slice(11)} UTC`}
      </Box>
    </Box>
  );
}
