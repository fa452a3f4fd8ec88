import Button from "@mui/material/Button";
import InputAdornment from "@mui/material/InputAdornment";
import LinearProgress from "@mui/material/LinearProgress";
import MenuItem from "@mui/material/MenuItem";
import Paper from "@mui/material/Paper";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import useMediaQuery from "@mui/material/useMediaQuery";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import type { WorkflowList } from "../api/types";
import { SearchIcon } from "../components/icons";
import { EmptyState, ErrorState, StaleAlert } from "../components/states";
import { serverQuery } from "../services/server";
import { workflowsQuery } from "../services/workflows";
import { importCommand, workflowStatuses } from "../workflowWords";
import { useTitle } from "./useTitle";
import { WorkflowCards } from "./WorkflowCards";
import { WorkflowTable } from "./WorkflowTable";

const typingPauseMs = 300;
/** Where a table of all columns would be scrolled more than read. */
const narrow = "(max-width: 699.95px)";

export function WorkflowsPage() {
  useTitle("Workflows");
  const [params, setParams] = useSearchParams();
  const search = params.get("search") ?? "";
  const status = params.get("status") ?? "";
  const cursor = params.get("cursor") ?? "";
  const query = {
    ...(search && { search }),
    ...(status && { status: [status] }),
    ...(cursor && { cursor }),
  };
  const counted = useQuery(workflowsQuery({ ...query, activity: true }));
  const isCounted = isOwn(counted);
  // What each of them does takes long to count where a large run has only just been loaded.
  const listed = useQuery({ ...workflowsQuery(query), enabled: !isCounted });
  const workflows = isCounted || (counted.data !== undefined && !isOwn(listed)) ? counted : listed;
  const { data } = workflows;
  const List = useMediaQuery(narrow, { noSsr: true }) ? WorkflowCards : WorkflowTable;
  const filtered = search !== "" || status !== "";

  // Another filter is another list: the cursor of the old one means nothing in it.
  function filter(name: "search" | "status", value: string) {
    setParams(
      (old) => {
        const next = new URLSearchParams(old);
        if (value === "") next.delete(name);
        else next.set(name, value);
        next.delete("cursor");
        return next;
      },
      { replace: true },
    );
  }

  function page(to: string | null) {
    setParams((old) => {
      const next = new URLSearchParams(old);
      if (to === null) next.delete("cursor");
      else next.set("cursor", to);
      return next;
    });
  }

  return (
    <Stack sx={{ gap: 2 }}>
      <Stack direction="row" sx={{ alignItems: "center", flexWrap: "wrap", gap: 1.5 }}>
        <Typography variant="h1" sx={{ flex: { xs: "1 0 100%", sm: 1 }, minWidth: 180 }}>
          Workflows
        </Typography>
        <SearchField value={search} onChange={(value) => filter("search", value)} />
        <TextField
          select
          size="small"
          label="Status"
          value={status}
          onChange={(event) => filter("status", event.target.value)}
          sx={{ minWidth: 150 }}
          slotProps={{ inputLabel: { shrink: true }, select: { displayEmpty: true } }}
        >
          <MenuItem value="">All</MenuItem>
          {workflowStatuses.map(([letter, name]) => (
            <MenuItem key={letter} value={letter}>
              {name.charAt(0) + name.slice(1).toLowerCase()}
            </MenuItem>
          ))}
        </TextField>
      </Stack>

      {workflows.isError && data !== undefined && (
        <StaleAlert
          error={workflows.error}
          dataAt={workflows.dataUpdatedAt}
          onRetry={() => void workflows.refetch()}
        />
      )}
      {workflows.isError && data === undefined && (
        <ErrorState
          title="The workflows could not be loaded"
          error={workflows.error}
          onRetry={() => void workflows.refetch()}
        />
      )}

      {!isCounted && counted.isError && data !== undefined && (
        <ErrorState
          title="What the workflows do could not be counted"
          error={counted.error}
          onRetry={() => void counted.refetch()}
        />
      )}

      {!(workflows.isError && data === undefined) && (
        <Paper sx={{ overflow: "hidden", position: "relative" }}>
          {workflows.isPlaceholderData && (
            <LinearProgress aria-label="Loading" sx={{ position: "absolute", inset: "0 0 auto" }} />
          )}
          {data?.workflows.length === 0 ? (
            <NoWorkflows filtered={filtered} onClear={() => setParams({})} />
          ) : (
            <List workflows={data?.workflows ?? null} counting={counted.isFetching} />
          )}
        </Paper>
      )}

      {data !== undefined && (cursor !== "" || data.next_cursor !== null) && (
        <Stack direction="row" sx={{ justifyContent: "flex-end", gap: 1 }}>
          <Button variant="outlined" disabled={cursor === ""} onClick={() => page(null)}>
            Newest
          </Button>
          <Button
            variant="outlined"
            disabled={data.next_cursor === null}
            onClick={() => page(data.next_cursor)}
          >
            Older
          </Button>
        </Stack>
      )}
    </Stack>
  );
}

/** Whether what is there answers the question, and not the one before. */
function isOwn({ data, isPlaceholderData }: UseQueryResult<WorkflowList>): boolean {
  return data !== undefined && !isPlaceholderData;
}

interface SearchFieldProps {
  value: string;
  onChange: (value: string) => void;
}

/** Tells what was typed once the typing pauses. */
function SearchField({ value, onChange }: SearchFieldProps) {
  const [text, setText] = useState(value);
  const [told, setTold] = useState(value);
  if (value !== told) {
    // It was changed from elsewhere: the browser's Back, or "Show all workflows".
    setTold(value);
    setText(value);
  }
  const tell = useRef(onChange);
  useEffect(() => {
    tell.current = onChange;
  });
  useEffect(() => {
    if (text === told) return;
    const timer = setTimeout(() => {
      setTold(text);
      tell.current(text);
    }, typingPauseMs);
    return () => clearTimeout(timer);
  }, [text, told]);
  return (
    <TextField
      size="small"
      type="search"
      label="Search by name"
      value={text}
      onChange={(event) => setText(event.target.value)}
      sx={{ minWidth: { xs: 160, sm: 260 }, flex: { xs: 1, sm: "none" } }}
      slotProps={{
        htmlInput: { maxLength: 200 },
        input: {
          startAdornment: (
            <InputAdornment position="start">
              <SearchIcon />
            </InputAdornment>
          ),
        },
      }}
    />
  );
}

function NoWorkflows({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  const server = useQuery(serverQuery());
  if (filtered) {
    return (
      <EmptyState
        title="No workflow matches"
        action={
          <Button variant="outlined" onClick={onClear}>
            Show all workflows
          </Button>
        }
      >
        Try a shorter part of the name, or another status.
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No workflows yet">
      Point a JobMon client at this server, or load the trace of a Nextflow run:
      {!server.isPending && <ImportHint databaseUrl={server.data?.database_url ?? null} />}
    </EmptyState>
  );
}

/** An import must name the database that this server serves. */
function ImportHint({ databaseUrl }: { databaseUrl: string | null }) {
  return (
    <>
      <pre style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
        {importCommand(databaseUrl)}
      </pre>
      {databaseUrl === null && <>URL is the database of this server: its --database-url.</>}
    </>
  );
}
