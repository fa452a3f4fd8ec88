import Alert from "@mui/material/Alert";
import AlertTitle from "@mui/material/AlertTitle";
import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { formatTime } from "../format";
import { loginAction, loginPanel } from "../login/parts";
import { Part } from "./Part";
import { TraceId } from "./TraceId";

interface EmptyStateProps {
  title: string;
  children: ReactNode;
  action?: ReactNode;
  /** Whether there is nothing else on the page, so that it is headed by the title. */
  alone?: boolean;
}

export function EmptyState({ title, children, action, alone = false }: EmptyStateProps) {
  return (
    <Stack sx={{ alignItems: "center", textAlign: "center", px: 3, py: 8, gap: 1 }}>
      <Typography variant="h2" component={alone ? "h1" : "p"}>
        {title}
      </Typography>
      <Typography component="div" sx={{ color: "text.secondary", maxWidth: 560 }}>
        {children}
      </Typography>
      {action !== undefined && <div style={{ marginTop: 8 }}>{action}</div>}
    </Stack>
  );
}

interface ErrorStateProps {
  /** What could not be done, as "The workflows could not be loaded". */
  title: string;
  error: unknown;
  onRetry?: () => void;
}

export function ErrorState({ title, error, onRetry }: ErrorStateProps) {
  if (needsLogin(error)) return <Part code={loginPanel} props={{ onRetry }} placeholder={null} />;
  return (
    <Alert
      severity="error"
      variant="outlined"
      action={
        onRetry !== undefined && (
          <Button color="inherit" onClick={onRetry}>
            Try again
          </Button>
        )
      }
    >
      <AlertTitle>{title}</AlertTitle>
      {messageOf(error)}
      {error instanceof ApiError && error.field !== null && <> (parameter: {error.field})</>}
      <Trace error={error} />
    </Alert>
  );
}

interface StaleAlertProps {
  error: unknown;
  /** When the data on screen came, in milliseconds since the epoch. */
  dataAt: number;
  onRetry: () => void;
}

/** A refresh failed: what is on screen stays, and says how old it is. */
export function StaleAlert({ error, dataAt, onRetry }: StaleAlertProps) {
  const ended = needsLogin(error);
  return (
    <Alert
      severity="warning"
      variant="outlined"
      action={
        ended ? (
          <Part code={loginAction} props={{ onRetry }} placeholder={null} />
        ) : (
          <Button color="inherit" onClick={onRetry}>
            Try again
          </Button>
        )
      }
    >
      {ended ? "Your login has ended." : messageOf(error)} What you see is from {formatTime(dataAt)}{" "}
      UTC.
      {!ended && <Trace error={error} />}
    </Alert>
  );
}

function needsLogin(error: unknown): boolean {
  return error instanceof ApiError && error.code === "unauthenticated";
}

function Trace({ error }: { error: unknown }) {
  if (!(error instanceof ApiError) || error.traceId === null) return null;
  return <TraceId id={error.traceId} />;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "Something unexpected happened.";
}
