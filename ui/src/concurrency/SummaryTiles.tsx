import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import { Help, type HelpKey } from "../help/Help";
import { ShortName } from "../components/ShortName";
import { formatDuration, formatInstant, formatNumber, formatShare } from "../format";
import { shareAtLimit, type LimitSummary } from "./limits";
import type { Summary } from "./model";
import type { Status } from "./view";

/** What the tasks that are counted do, as "ran", after the status. */
export function verbOf(status: Status): string {
  return status === "RUNNING" ? "ran" : `were ${status}`;
}

/** The summary as a sentence: what a reader who does not see the chart gets of it. */
export function summarySentence(summary: Summary, status: Status): string {
  const did = verbOf(status);
  if (summary.peak === 0) return `No task ${did.replace("were", "was")} in this window.`;
  const when = summary.peakAt === null ? "" : ` at ${formatInstant(summary.peakAt)}`;
  const top =
    summary.top === null
      ? ""
      : ` ${summary.top.name} took most of them, ${formatShare(summary.top.share)}.`;
  const limits = summary.limits.map(limitSentence).join("");
  return (
    `At most ${formatNumber(summary.peak)} tasks ${did} at once,${when}; ` +
    `${formatNumber(round(summary.mean))} on average over ${formatDuration(summary.seconds)}. ` +
    `They took ${formatNumber(summary.taskSeconds)} task-seconds in all.${top}${limits}`
  );
}

function limitSentence({ template, value, reached }: LimitSummary): string {
  if (reached === null) return "";
  const limit = `limit of ${formatNumber(value)} active tasks${template === null ? "" : ` of ${template}`}`;
  if (reached.seconds === 0) return ` The ${limit} was never reached.`;
  const most = reached.resolution === 0 ? "" : "at most ";
  return (
    ` The ${limit} was reached for ${most}${formatDuration(reached.seconds)}, ` +
    `${formatShare(reached.share)} of the time.`
  );
}

interface Props {
  summary: Summary;
  status: Status;
  /** How many tasks are in the status now, and are active; null where the window does not end now. */
  now: { counted: number | null; active: number | null } | null;
  /** What the numbers are of, as "all templates". */
  of: string;
  /** Task-seconds of all templates in the window. */
  all: number;
}

export function SummaryTiles({ summary, status, now, of, all }: Props) {
  const { top, limits } = summary;
  const isPart = summary.taskSeconds < all;
  const word = status === "RUNNING" ? "running" : status;
  const union: HelpKey[] =
    status === "ACTIVE" ? ["active"] : status === "PENDING" ? ["pending"] : [];
  return (
    <Paper
      component="section"
      aria-label={`Summary of ${of}`}
      sx={{
        display: "grid",
        gridTemplateColumns: "repeat(auto-fit, minmax(190px, 1fr))",
        gap: "1px",
        bgcolor: "divider",
        overflow: "hidden",
      }}
    >
      {now !== null && (
        <Tile
          name={`${status === "RUNNING" ? "Running" : status} now`}
          value={now.counted === null ? "…" : formatNumber(now.counted)}
          note={now.active === null ? "" : `${formatNumber(now.active)} active, of all templates`}
          help={status === "PENDING" ? ["pending", "active"] : ["active"]}
        />
      )}
      <Tile
        name={`Peak ${word}`}
        value={`${summary.exact ? "" : "≤ "}${formatNumber(summary.peak)}`}
        note={peakNote(summary)}
        help={["peak", ...union]}
      />
      <Tile
        name={`Mean ${word}`}
        value={formatNumber(round(summary.mean))}
        note={`over ${formatDuration(summary.seconds)}`}
        help={["mean", ...union]}
      />
      {limits.map(
        ({ template, value, reached }) =>
          reached !== null && (
            <Tile
              key={template}
              name={template === null ? "Time at the limit" : "Time at its own limit"}
              value={shareAtLimit(reached)}
              note={`${formatDuration(reached.seconds)} with ${formatNumber(value)} active or more`}
              help={["atLimit", "active"]}
            />
          ),
      )}
      <Tile
        name="Task-seconds"
        value={formatNumber(summary.taskSeconds)}
        note={`${formatDuration(summary.taskSeconds)} of ${word} tasks`}
        help={["taskSeconds"]}
      />
      {isPart ? (
        <Tile
          name="Share of task-seconds"
          value={formatShare(summary.taskSeconds / all)}
          note={`of ${formatNumber(all)} of all templates`}
          help={["share", "taskSeconds"]}
        />
      ) : (
        <Tile
          name="Most task-seconds"
          value={top?.name ?? "–"}
          note={top === null ? "of no template" : `${formatShare(top.share)} of them`}
          help={["taskSeconds", "share"]}
        />
      )}
    </Paper>
  );
}

function peakNote({ peakAt, exact, peak }: Summary): string {
  if (peakAt !== null) return `at ${formatInstant(peakAt)}`;
  return peak === 0 ? "no task" : exact ? "" : "an upper bound: no more than this";
}

interface TileProps {
  name: string;
  value: string;
  note: string;
  help: readonly [HelpKey, ...HelpKey[]];
}

function Tile({ name, value, note, help }: TileProps) {
  return (
    <Box sx={{ bgcolor: "background.paper", px: 2, py: 1, minWidth: 0 }}>
      <Box
        sx={{
          display: "flex",
          alignItems: "center",
          gap: 0.25,
          height: 20,
          typography: "body2",
          color: "text.secondary",
        }}
      >
        {name}
        <Help about={help} label={name} />
      </Box>
      <Box
        title={value}
        sx={{
          fontSize: "1.5rem",
          fontWeight: 650,
          lineHeight: 1.3,
          fontVariantNumeric: "tabular-nums",
        }}
      >
        <ShortName>{value}</ShortName>
      </Box>
      <Box sx={{ typography: "body2", color: "text.secondary" }}>{note}</Box>
    </Box>
  );
}

function round(mean: number): number {
  return Math.round(mean * 100) / 100;
}
