import Button from "@mui/material/Button";
import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import { DownloadIcon } from "../components/icons";
import { formatDuration } from "../format";
import {
  granularities,
  granularitySeconds,
  maxBuckets,
  timeRanges,
  type Granularity,
  type TimeRange,
} from "./view";

interface Props {
  timeRange: TimeRange;
  granularity: Granularity;
  /** Length of the range: too fine a bucket cannot be chosen. */
  seconds: number;
  /** Width of the bucket that the server chose, where it was left to it. */
  autoSeconds: number | null;
  onTimeRange: (timeRange: TimeRange) => void;
  onGranularity: (granularity: Granularity) => void;
  /** Null while there is nothing to export. */
  onPng: (() => void) | null;
  onCsv: (() => void) | null;
}

export function Toolbar(props: Props) {
  return (
    <Stack direction="row" sx={{ flexWrap: "wrap", alignItems: "center", gap: 1.5 }}>
      <ToggleButtonGroup
        exclusive
        size="small"
        color="primary"
        aria-label="Time range"
        value={props.timeRange}
        onChange={(_, value: TimeRange | null) => {
          if (value !== null) props.onTimeRange(value);
        }}
      >
        {timeRanges.map((range) => (
          <ToggleButton key={range} value={range} sx={{ px: 1.75, minWidth: 48 }}>
            {range === "all" ? "All" : range}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
      <TextField
        select
        size="small"
        label="Bucket"
        value={props.granularity}
        onChange={(event) => {
          const value = granularities.find((choice) => choice === event.target.value);
          if (value !== undefined) props.onGranularity(value);
        }}
        sx={{ minWidth: 140 }}
      >
        {granularities.map((choice) => (
          <MenuItem
            key={choice}
            value={choice}
            disabled={choice !== "auto" && props.seconds / granularitySeconds(choice) > maxBuckets}
          >
            {choice === "auto" ? autoLabel(props) : formatDuration(granularitySeconds(choice))}
          </MenuItem>
        ))}
      </TextField>
      <span style={{ flex: 1 }} />
      <Button
        variant="outlined"
        startIcon={<DownloadIcon />}
        disabled={props.onPng === null}
        onClick={() => props.onPng?.()}
      >
        PNG
      </Button>
      <Button
        variant="outlined"
        startIcon={<DownloadIcon />}
        disabled={props.onCsv === null}
        onClick={() => props.onCsv?.()}
      >
        CSV
      </Button>
    </Stack>
  );
}

function autoLabel({ granularity, autoSeconds }: Props): string {
  if (granularity !== "auto" || autoSeconds === null) return "Auto";
  return `Auto (${formatDuration(autoSeconds)})`;
}
