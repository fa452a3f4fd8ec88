import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import { formatDuration, formatInstant, formatNumber, formatShare } from "../format";
import type { Summary } from "./model";

/** The summary as a sentence: what a reader who does not see the chart gets of it. */
export function summarySentence(summary: Summary): string {
  if (summary.peak === 0) return "No task was running in this window.";
  const when = summary.peakAt === null ? "" : ` at ${formatInstant(summary.peakAt)}`;
  const top =
    summary.top === null
      ? ""
      : ` ${summary.top.name} took most of them, ${formatShare(summary.top.share)}.`;
  return (
    `At most ${formatNumber(summary.peak)} tasks ran at once,${when}; ` +
    `${formatNumber(round(summary.mean))} on average over ${formatDuration(summary.seconds)}. ` +
    `They ran for ${formatNumber(summary.taskSeconds)} task-seconds in all.${top}`
  );
}

interface Props {
  summary: Summary;
  /** What the numbers are of, as "all templates". */
  of: string;
  /** Task-seconds of all templates in the window. */
  all: number;
}

export function SummaryTiles({ summary, of, all }: Props) {
  const { top } = summary;
  const isPart = summary.taskSeconds < all;
  return (
    <Paper
      component="section"
      aria-label={`Summary of ${of}`}
      sx={{
        display: "grid",
        gridTemplateColumns: { xs: "1fr", sm: "1fr 1fr", md: "repeat(4, 1fr)" },
        gap: "1px",
        bgcolor: "divider",
        overflow: "hidden",
      }}
    >
      <Tile
        name="Peak running"
        value={formatNumber(summary.peak)}
        note={summary.peakAt === null ? "no task ran" : `at ${formatInstant(summary.peakAt)}`}
      />
      <Tile
        name="Mean running"
        value={formatNumber(round(summary.mean))}
        note={`over ${formatDuration(summary.seconds)}`}
      />
      <Tile
        name="Task-seconds"
        value={formatNumber(summary.taskSeconds)}
        note={`${formatDuration(summary.taskSeconds)} of running tasks`}
      />
      {isPart ? (
        <Tile
          name="Share of task-seconds"
          value={formatShare(summary.taskSeconds / all)}
          note={`of ${formatNumber(all)} of all templates`}
        />
      ) : (
        <Tile
          name="Most task-seconds"
          value={top?.name ?? "–"}
          note={top === null ? "no task ran" : `${formatShare(top.share)} of them`}
        />
      )}
    </Paper>
  );
}

function Tile({ name, value, note }: { name: string; value: string; note: string }) {
  return (
    <Box sx={{ bgcolor: "background.paper", px: 2, py: 1.5, minWidth: 0 }}>
      <Box sx={{ typography: "body2", color: "text.secondary" }}>{name}</Box>
      <Box
        title={value}
        sx={{
          fontSize: "1.5rem",
          fontWeight: 650,
          lineHeight: 1.3,
          fontVariantNumeric: "tabular-nums",
          overflow: "hidden",
          textOverflow: "ellipsis",
          whiteSpace: "nowrap",
        }}
      >
        {value}
      </Box>
      <Box sx={{ typography: "body2", color: "text.secondary" }}>{note}</Box>
    </Box>
  );
}

function round(mean: number): number {
  return Math.round(mean * 100) / 100;
}
