import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import Typography from "@mui/material/Typography";
import { useId, type ReactNode } from "react";
import type { ServerHealth, Telemetry } from "../api/types";
import { formatDuration, formatNumber, formatShare, formatTime } from "../format";

/** An instant of the API to the second. */
function atSecond(instant: string): string {
  return `${formatTime(Date.parse(instant))} UTC`;
}

interface SectionProps {
  title: string;
  /** What the numbers are of, and since when. */
  about: ReactNode;
  children: ReactNode;
}

function Section({ title, about, children }: SectionProps) {
  const id = useId();
  return (
    <Paper component="section" aria-labelledby={id} sx={{ p: 2 }}>
      <Typography variant="h2" id={id}>
        {title}
      </Typography>
      <Typography variant="body2" sx={{ color: "text.secondary", mb: 1.5 }}>
        {about}
      </Typography>
      <Box component="dl" sx={{ m: 0 }}>
        {children}
      </Box>
    </Paper>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Box
      sx={{
        display: "flex",
        flexWrap: "wrap",
        justifyContent: "space-between",
        columnGap: 2,
        py: 0.5,
        typography: "body2",
        "& + &": { borderTop: 1, borderColor: "divider" },
      }}
    >
      <Box component="dt" sx={{ color: "text.secondary" }}>
        {name}
      </Box>
      <Box component="dd" sx={{ m: 0, ml: "auto", fontVariantNumeric: "tabular-nums" }}>
        {children}
      </Box>
    </Box>
  );
}

export function AuditSection({ verification }: { verification: ServerHealth["verification"] }) {
  const { ended, began, tasks, covered } = verification;
  if (ended === null || began === null) {
    return (
      <Section
        title="Audit"
        about="Every status that a task has had. It is verified a minute after the server's start, and once a day."
      >
        <Fact name="Last verification">not since this server began</Fact>
      </Section>
    );
  }
  return (
    <Section title="Audit" about="Every status that a task has had, as it was last verified.">
      <Fact name="Tasks that the audit accounts for">
        {tasks === 0 ? "none yet" : `${coverage(covered, tasks)} of ${formatNumber(tasks)}`}
      </Fact>
      <Fact name="Broken chains">{formatNumber(verification.broken)}</Fact>
      <Fact name="Defects">{formatNumber(verification.defects)}</Fact>
      <Fact name="Verified">{atSecond(ended)}</Fact>
      <Fact name="It took">{formatDuration((Date.parse(ended) - Date.parse(began)) / 1000)}</Fact>
      <Fact name="Rows looked at">{formatNumber(verification.rows)}</Fact>
      <Fact name="Counts compared">{formatNumber(verification.cells)}</Fact>
    </Section>
  );
}

/** A share that is 100% only where nothing is missing. */
function coverage(covered: number, tasks: number): string {
  return covered < tasks && covered / tasks > 0.999 ? ">99.9%" : formatShare(covered / tasks);
}

export function RollUpSection({ rollUp }: { rollUp: ServerHealth["roll_up"] }) {
  return (
    <Section
      title="Roll-up"
      about="Sums the audit up, minute by minute, for windows that are long."
    >
      <Fact name="Behind by">
        {rollUp.lag_seconds < 1 ? "nothing" : formatDuration(rollUp.lag_seconds)}
      </Fact>
      <Fact name="Workflows with minutes to sum up">{formatNumber(rollUp.marked_workflows)}</Fact>
      {rollUp.oldest_mark !== null && (
        <Fact name="Of which the oldest">{atSecond(rollUp.oldest_mark)}</Fact>
      )}
      <Fact name="Rate while at work">
        {formatNumber(Math.round(rollUp.rows_per_second))} rows/s
      </Fact>
      <Fact name="Rows since the server's start">{formatNumber(rollUp.rows)}</Fact>
      <Fact name="Damaged blocks since then">{formatNumber(rollUp.damaged_blocks)}</Fact>
    </Section>
  );
}

export function WritesSection({ writes }: { writes: ServerHealth["writes"] }) {
  return (
    <Section title="Writes" about="Moves of tasks; what is counted is since the server's start.">
      <Fact name="Over the last 10 seconds">{formatNumber(writes.rows_per_second)} rows/s</Fact>
      <Fact name="Transactions tried again">{formatNumber(writes.retried)}</Fact>
      <Fact name="Transactions given up">{formatNumber(writes.given_up)}</Fact>
      <Fact name="Moves against the clock">{formatNumber(writes.clock_clamps)}</Fact>
    </Section>
  );
}

export function RetentionSection({ retention }: { retention: ServerHealth["retention"] }) {
  const kept = (seconds: number) => (seconds === 0 ? "for good" : formatDuration(seconds));
  return (
    <Section
      title="Retention"
      about="Removes what is old; what is counted is since the server's start."
    >
      <Fact name="The audit is kept">{kept(retention.audit_seconds)}</Fact>
      <Fact name="Counts are kept">{kept(retention.block_seconds)}</Fact>
      <Fact name="Last pass">
        {retention.last_pass === null ? "none yet" : atSecond(retention.last_pass)}
      </Fact>
      <Fact name="Rows removed">{formatNumber(retention.rows)}</Fact>
      <Fact name="Hours of counts removed">{formatNumber(retention.hours)}</Fact>
      <Fact name="Held">{retention.held === null ? "no" : "yes, see above"}</Fact>
      <Fact name="Workflows left alone">{formatNumber(retention.left_alone)}</Fact>
    </Section>
  );
}

export function UseSection({ telemetry }: { telemetry: Telemetry }) {
  const { render_ms: render, exports } = telemetry;
  if (!telemetry.enabled) {
    return (
      <Section
        title="Use of this page"
        about="Pages tell this server nothing of how they are used: it was started with --telemetry off."
      >
        {null}
      </Section>
    );
  }
  const ms = (value: number | null) =>
    value === null ? "–" : `${formatNumber(Math.round(value))} ms`;
  const perVisit = ({ per_visit }: Telemetry["exports"]["png"]) =>
    per_visit === null ? "–" : formatNumber(Math.round(per_visit * 100) / 100);
  return (
    <Section
      title="Use of this page"
      about={`Counts of nobody in particular, since ${atSecond(telemetry.since)}; a visit is one load of the page.`}
    >
      <Fact name="Visits that looked at a chart">{formatNumber(telemetry.visits)}</Fact>
      <Fact name="Charts drawn">{formatNumber(render.count)}</Fact>
      <Fact name="Time to draw an answer, median">{ms(render.p50)}</Fact>
      <Fact name="Time to draw, 90% within">{ms(render.p90)}</Fact>
      <Fact name="Time to draw, 99% within">{ms(render.p99)}</Fact>
      <Fact name="Active filters a visit, median">
        {telemetry.filters_median === null ? "–" : formatNumber(telemetry.filters_median)}
      </Fact>
      <Fact name="Exports a visit, PNG">{perVisit(exports.png)}</Fact>
      <Fact name="Exports a visit, SVG">{perVisit(exports.svg)}</Fact>
      <Fact name="Exports a visit, CSV">{perVisit(exports.csv)}</Fact>
    </Section>
  );
}
