import Alert from "@mui/material/Alert";
import AlertTitle from "@mui/material/AlertTitle";
import Box from "@mui/material/Box";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import type { ServerHealth } from "../api/types";
import { ErrorState, StaleAlert } from "../components/states";
import { formatTime } from "../format";
import { findingsOf } from "../health/findings";
import {
  AuditSection,
  RetentionSection,
  RollUpSection,
  UseSection,
  WritesSection,
} from "../health/sections";
import { healthQuery, telemetryQuery } from "../services/health";
import { useTitle } from "./useTitle";

const grid = {
  display: "grid",
  gap: 2,
  gridTemplateColumns: "repeat(auto-fill, minmax(min(340px, 100%), 1fr))",
} as const;

export function HealthPage() {
  useTitle("Health");
  const health = useQuery(healthQuery());
  const telemetry = useQuery(telemetryQuery());
  const { data } = health;
  return (
    <Stack sx={{ gap: 2 }}>
      <Box component="header">
        <Typography variant="h1">Health</Typography>
        <Typography variant="body2" sx={{ color: "text.secondary" }}>
          {data === undefined ? "As of …" : `As of ${formatTime(Date.parse(data.now))} UTC`}, by the
          clock of the database; asked again every 30 seconds.
        </Typography>
      </Box>
      {health.isError && data !== undefined && (
        <StaleAlert
          error={health.error}
          dataAt={health.dataUpdatedAt}
          onRetry={() => void health.refetch()}
        />
      )}
      {health.isError && data === undefined && (
        <ErrorState
          title="The health of the server could not be loaded"
          error={health.error}
          onRetry={() => void health.refetch()}
        />
      )}
      {data !== undefined && <Findings health={data} current={!health.isError} />}
      {!(health.isError && data === undefined) && (
        <Box sx={grid} aria-busy={data === undefined}>
          {data === undefined ? (
            Array.from({ length: 5 }, (_, i) => (
              <Skeleton key={i} variant="rounded" height={236} aria-label="Loading" />
            ))
          ) : (
            <>
              <AuditSection verification={data.verification} />
              <RollUpSection rollUp={data.roll_up} />
              <WritesSection writes={data.writes} />
              <RetentionSection retention={data.retention} />
              {telemetry.data !== undefined ? (
                <UseSection telemetry={telemetry.data} />
              ) : telemetry.isError ? (
                <ErrorState
                  title="The use of this page could not be loaded"
                  error={telemetry.error}
                  onRetry={() => void telemetry.refetch()}
                />
              ) : (
                <Skeleton variant="rounded" height={236} aria-label="Loading" />
              )}
            </>
          )}
        </Box>
      )}
    </Stack>
  );
}

interface FindingsProps {
  health: ServerHealth;
  /** Whether the server still answers: where it does not, that nothing was wrong is no news. */
  current: boolean;
}

function Findings({ health, current }: FindingsProps) {
  const findings = findingsOf(health);
  if (findings.length === 0) {
    return !current ? null : (
      <Alert severity="success" variant="outlined">
        {health.verification.ended === null
          ? "Nothing is wrong. The audit has not been verified since this server began; that happens within minutes."
          : "Nothing is wrong."}
      </Alert>
    );
  }
  return (
    <Stack component="section" aria-label="What is wrong" sx={{ gap: 1 }}>
      {findings.map(({ severity, title, advice }) => (
        <Alert key={title} severity={severity} variant="outlined">
          <AlertTitle>
            {severity === "error" ? "Error" : "Warning"}: {title}
          </AlertTitle>
          {advice}
        </Alert>
      ))}
    </Stack>
  );
}
