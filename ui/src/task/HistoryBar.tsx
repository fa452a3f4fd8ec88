import Box from "@mui/material/Box";
import type { TaskStatusHistory } from "../api/types";
import { Strip } from "../components/Strip";
import { TaskStatusLabel } from "../components/TaskStatusLabel";
import { formatElapsed, formatInstant, formatShare } from "../format";
import { taskStatusWords } from "../taskWords";
import { barOf, totalsOf, type Segment } from "./bar";

/** A task's history in time, and how long it was in each status; all of it is in the table too. */
export function HistoryBar({ task }: { task: TaskStatusHistory }) {
  const bar = barOf(task);
  if (bar === null) return null;
  const totals = [...totalsOf(task.history)];
  const sentence = totals
    .map(
      ([status, seconds]) => `${taskStatusWords(status).toLowerCase()} ${formatElapsed(seconds)}`,
    )
    .join(", ");
  return (
    <Box sx={{ p: 1.5 }}>
      <div
        role="img"
        aria-label={`From ${formatInstant(bar.start)} to ${formatInstant(bar.end)}: ${sentence}`}
      >
        <Strip
          height={32}
          parts={bar.segments.map((segment) => ({
            status: segment.status,
            size: segment.seconds,
            title: segmentWords(segment),
          }))}
        />
      </div>
      <Box
        sx={{
          display: "flex",
          flexWrap: "wrap",
          justifyContent: "space-between",
          columnGap: 2,
          mt: 0.5,
          typography: "caption",
          color: "text.secondary",
          fontVariantNumeric: "tabular-nums",
        }}
      >
        <span>{formatInstant(bar.start)}</span>
        <span>{formatElapsed(bar.seconds)}</span>
        <span>{formatInstant(bar.end)}</span>
      </Box>
      {bar.segments.some(({ stays }) => stays > 1) && (
        <Box sx={{ typography: "caption", color: "text.secondary" }}>
          Stays that are too short to be seen are drawn in the colour of their longest neighbour.
        </Box>
      )}
      <Box
        component="ul"
        aria-label="Time in each status"
        sx={{
          display: "flex",
          flexWrap: "wrap",
          columnGap: 3,
          rowGap: 0.5,
          listStyle: "none",
          m: 0,
          mt: 1,
          p: 0,
          typography: "body2",
        }}
      >
        {totals.map(([status, seconds]) => (
          <li key={status}>
            <TaskStatusLabel status={status} />{" "}
            <Box component="span" sx={{ color: "text.secondary" }}>
              {formatElapsed(seconds)}, {formatShare(seconds / bar.seconds)}
            </Box>
          </li>
        ))}
      </Box>
    </Box>
  );
}

function segmentWords({ status, from, seconds, stays }: Segment): string {
  const what =
    stays === 1 ? taskStatusWords(status) : `${stays} stays, most of it ${taskStatusWords(status)}`;
  return `${what}, ${formatElapsed(seconds)} from ${formatInstant(from)}`;
}
