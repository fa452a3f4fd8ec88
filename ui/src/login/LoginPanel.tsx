import Button from "@mui/material/Button";
import { useQuery } from "@tanstack/react-query";
import { useHref, useLocation } from "react-router";
import { serverQuery } from "../services/server";
import { EmptyState } from "../components/states";
import { loginAddress } from "./session";

interface LoginActionProps {
  /** Where to come back to, as browsers see it; this page unless it is given. */
  returnTo?: string | undefined;
  /** Asks again, where one can log in at JobMon only. */
  onRetry?: (() => void) | undefined;
}

/** What to press to be logged in. */
export function LoginAction({ returnTo, onRetry }: LoginActionProps) {
  const here = useHref(useLocation());
  const server = useQuery(serverQuery());
  if (server.data?.login === "oidc") {
    return (
      <Button
        variant="contained"
        href={loginAddress(returnTo ?? here)}
        sx={{ whiteSpace: "nowrap" }}
      >
        Log in
      </Button>
    );
  }
  if (onRetry === undefined) return null;
  return (
    <Button variant="outlined" onClick={onRetry}>
      Try again
    </Button>
  );
}

interface LoginPanelProps extends LoginActionProps {
  /** Why a login failed. */
  problem?: string;
}

/** Stands in the place of what only those may see who are known. */
export function LoginPanel({ problem, ...action }: LoginPanelProps) {
  const server = useQuery(serverQuery());
  return (
    <EmptyState
      alone
      title={problem === undefined ? "Log in to see this" : "You are not logged in"}
      action={<LoginAction {...action} />}
    >
      {problem ??
        (server.data?.login === "jobmon"
          ? "Log in to JobMon in this browser and come back: its login holds here, too."
          : "Only those who are known here may see it. After the login you are back at this address.")}
    </EmptyState>
  );
}
