import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import LinearProgress from "@mui/material/LinearProgress";
import Paper from "@mui/material/Paper";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { assignMarks, pages } from "../charts/palette";
import type { Workflow } from "../api/types";
import { EmptyState, ErrorState, StaleAlert } from "../components/states";
import { useMode } from "../preferences/useMode";
import { concurrencyQuery } from "../services/concurrency";
import { taskTemplatesQuery } from "../services/workflows";
import { Legend } from "./Legend";
import { LoadedChart } from "./LoadedChart";
import { chartOf, isolate, legendOf, selection, showAll, summaryOf, toggle } from "./model";
import { SummaryTiles, summarySentence } from "./SummaryTiles";
import type { ChartHandle } from "./TimelineChart";
import { Toolbar } from "./Toolbar";
import { hasEnded, openingRange, parseView, rangeSeconds, withView, type View } from "./view";

export function ConcurrencyTab({ workflow }: { workflow: Workflow }) {
  const mode = useMode();
  const [params, setParams] = useSearchParams();
  const view = useMemo(() => parseView(params), [params]);
  const change = (to: Partial<View>) => setParams((old) => withView(old, to));
  const [openedAt] = useState(Date.now);
  const [opening] = useState(() => openingRange(workflow, openedAt));
  const timeRange = view.timeRange ?? opening;

  const request = {
    workflowId: workflow.id,
    timeRange,
    granularity: view.granularity,
    live: timeRange !== "all" || !hasEnded(workflow),
  };
  const names = useQuery(taskTemplatesQuery(workflow.id));
  const whole = useQuery(concurrencyQuery({ ...request, templates: [] }));
  const templates = selection(view, whole.data);
  const partial = templates.length > 0;
  const part = useQuery({ ...concurrencyQuery({ ...request, templates }), enabled: partial });
  const total = (partial ? part.data : whole.data) ?? null;

  const chart = useMemo(
    () => (whole.data === undefined ? null : chartOf(whole.data, total, view)),
    [whole.data, total, view],
  );
  const legend = useMemo(
    () => (whole.data === undefined ? [] : legendOf(whole.data, view)),
    [whole.data, view],
  );
  const marks = useMemo(() => {
    const drawn = whole.data?.series.map((series) => series.task_template_name) ?? [];
    return assignMarks([...(names.data?.task_templates ?? []), ...drawn], mode);
  }, [names.data, whole.data, mode]);

  const [highlight, setHighlight] = useState<string | null>(null);
  const [exportError, setExportError] = useState<unknown>(null);
  const handle = useRef<ChartHandle>(null);

  function exporting(kind: "csv" | "png") {
    const graph = handle.current?.graph;
    if (!handle.current || !graph || chart === null || total === null) return;
    const shown = { workflow, chart, answer: total, legend, range: handle.current.range };
    setExportError(null);
    void import("./exports")
      .then(({ exportCsv, exportPng }) =>
        kind === "csv" ? exportCsv(shown) : exportPng(shown, graph, marks, mode),
      )
      .catch(setExportError);
  }

  const failed = whole.isError ? whole : part.isError && partial ? part : null;
  const summary = total === null ? null : summaryOf(total);
  const empty = whole.data?.total.peak === 0;
  const what = view.isolated ?? (partial ? `${templates.length} templates` : "all templates");

  return (
    <Stack sx={{ gap: 2 }}>
      <Toolbar
        timeRange={timeRange}
        granularity={view.granularity}
        seconds={rangeSeconds(timeRange, workflow, openedAt)}
        autoSeconds={whole.data?.bucket.seconds ?? null}
        onTimeRange={(value) => change({ timeRange: value })}
        onGranularity={(value) => change({ granularity: value })}
        onPng={total === null || empty ? null : () => exporting("png")}
        onCsv={total === null || empty ? null : () => exporting("csv")}
      />
      {exportError !== null && (
        <ErrorState title="The file could not be made" error={exportError} />
      )}
      {failed !== null && whole.data !== undefined && (
        <StaleAlert
          error={failed.error}
          dataAt={whole.dataUpdatedAt}
          onRetry={() => void failed.refetch()}
        />
      )}
      {whole.data === undefined && whole.isError ? (
        <ErrorState
          title="The concurrency could not be loaded"
          error={whole.error}
          onRetry={() => void whole.refetch()}
        />
      ) : empty ? (
        <Paper>
          <NothingRan
            workflow={workflow}
            all={timeRange === "all"}
            onAll={() => change({ timeRange: "all" })}
          />
        </Paper>
      ) : (
        <>
          {summary === null ? (
            <Skeleton variant="rounded" height={98} />
          ) : (
            <SummaryTiles summary={summary} of={what} all={whole.data?.total.task_seconds ?? 0} />
          )}
          <Paper sx={{ position: "relative", p: 1.5, overflow: "hidden" }}>
            {(whole.isPlaceholderData ||
              (partial && part.isFetching && part.data === undefined)) && (
              <LinearProgress
                aria-label="Loading"
                sx={{ position: "absolute", inset: "0 0 auto" }}
              />
            )}
            <Box
              sx={{
                display: "grid",
                gap: 1.5,
                gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "minmax(0, 1fr) 320px" },
                gridTemplateRows: {
                  xs: "420px auto",
                  md: "clamp(360px, calc(100vh - 460px), 800px)",
                },
              }}
            >
              {chart === null ? (
                <Skeleton variant="rounded" height="100%" aria-label="Loading the chart" />
              ) : (
                <LoadedChart
                  placeholder={
                    <Skeleton variant="rounded" height="100%" aria-label="Loading the chart" />
                  }
                  ref={handle}
                  chart={chart}
                  marks={marks}
                  means={total?.total.values ?? null}
                  peaks={total?.total.peaks ?? null}
                  window={[
                    chart.buckets.first,
                    chart.buckets.first + chart.buckets.count * chart.buckets.width,
                  ]}
                  mode={mode}
                  highlight={highlight}
                  revision={timeRange}
                  name={`Tasks running at once in ${workflow.name}, by template`}
                  description={`${summary === null ? "" : summarySentence(summary)} Arrow keys move through the buckets, plus and minus zoom.`}
                  caption={<ChartKey what={what} />}
                />
              )}
              <Legend
                entries={legend}
                marks={marks}
                page={pages[mode]}
                isolated={view.isolated}
                onIsolate={(name) => change(isolate(view, name))}
                onMute={(name) =>
                  change(
                    toggle(
                      view,
                      legend.map((entry) => entry.name),
                      name,
                    ),
                  )
                }
                onShowAll={() => change(showAll)}
                onHighlight={setHighlight}
              />
            </Box>
          </Paper>
        </>
      )}
    </Stack>
  );
}

function ChartKey({ what }: { what: string }) {
  const line = { display: "inline-block", width: 20, mr: 1, verticalAlign: "middle" };
  return (
    <Box
      sx={{
        display: "flex",
        flexWrap: "wrap",
        columnGap: 2.5,
        typography: "caption",
        color: "text.secondary",
      }}
    >
      <span>
        <Box component="span" sx={{ ...line, borderTop: 2, borderColor: "text.primary" }} />
        Line: peak of {what} in each bucket
      </span>
      <span>Areas: mean of each template</span>
    </Box>
  );
}

interface NothingRanProps {
  workflow: Workflow;
  all: boolean;
  onAll: () => void;
}

function NothingRan({ workflow, all, onAll }: NothingRanProps) {
  if (all || workflow.first_transition_at === null) {
    return (
      <EmptyState title="No task has run yet">
        The chart begins with the first task of this workflow that is RUNNING.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      title="No task was running in this window"
      action={
        <Button variant="outlined" onClick={onAll}>
          Show the whole run
        </Button>
      }
    >
      Tasks of this workflow ran at another time.
    </EmptyState>
  );
}
