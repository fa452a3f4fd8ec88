import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import LinearProgress from "@mui/material/LinearProgress";
import Paper from "@mui/material/Paper";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { pages } from "../charts/palette";
import type { Range } from "../charts/timeline";
import type { Workflow } from "../api/types";
import { SkipLink } from "../components/SkipLink";
import { EmptyState, ErrorState, StaleAlert } from "../components/states";
import { useMode } from "../preferences/useMode";
import { taskTemplatesQuery } from "../services/workflows";
import { filters } from "../telemetry/telemetry";
import { ChartKey } from "./ChartKey";
import { Controls } from "./Controls";
import { Legend } from "./Legend";
import { LoadedChart } from "./LoadedChart";
import { marksOf } from "./marks";
import { isolate, isolatedOf, legendOf, showAll, summaryOf, templatesOf, toggle } from "./model";
import { SummaryTiles, summarySentence, verbOf } from "./SummaryTiles";
import { TableView } from "./TableView";
import { TasksPanel } from "./TasksPanel";
import type { ChartHandle } from "./TimelineChart";
import { useConcurrency } from "./useConcurrency";
import { useExports } from "./useExports";
import { instantOf, openingWindow, parseView, withView, type View } from "./view";

export function ConcurrencyTab({ workflow }: { workflow: Workflow }) {
  const mode = useMode();
  const [params, setParams] = useSearchParams();
  const { view, ignored } = useMemo(() => parseView(params), [params]);
  const change = (to: Partial<View>, replace = false) =>
    setParams((old) => withView(old, to), { replace });
  const [openedAt] = useState(Date.now);
  const [opening] = useState(() => openingWindow(workflow, openedAt));
  const window = view.window ?? opening;

  const names = useQuery(taskTemplatesQuery(workflow.id));
  const data = useConcurrency(workflow, view, window);
  const { whole, shown, chart, backdrop } = data;
  const all = whole.data;
  useEffect(() => filters(new Set(params.keys()).size), [params]);

  // What is told beside the chart follows when the chart is drawn.
  const toldOfAll = useDeferredValue(all);
  const legend = useMemo(
    () => (toldOfAll === undefined ? [] : legendOf(toldOfAll, view)),
    [toldOfAll, view],
  );
  const marks = useMemo(
    () => marksOf(names.data?.task_templates ?? [], all, mode),
    [names.data, all, mode],
  );
  const [highlight, setHighlight] = useState<string | null>(null);
  const handle = useRef<ChartHandle>(null);
  const exports = useExports({ workflow, view, shown, chart, legend, marks, mode, handle });

  const span: Range | null =
    chart === null
      ? null
      : [chart.buckets.first, chart.buckets.first + chart.buckets.count * chart.buckets.width];
  const base = backdrop?.buckets ?? chart?.buckets;
  const whatIs: Range =
    base === undefined ? [0, 1] : [base.first, base.first + base.count * base.width];
  const range = view.zoom ?? span ?? [0, 1];

  const alone = isolatedOf(view);
  const summary = useMemo(() => (shown === null ? null : summaryOf(shown, alone)), [shown, alone]);
  const tiles = useDeferredValue(summary);
  const empty = all?.total.peak === 0 && view.zoom === null;
  const what = alone ?? (data.partial ? `${data.templates.length} templates` : "all templates");
  const title = `Tasks ${view.status === "RUNNING" ? "running" : `in ${view.status}`} at once in ${workflow.name}, by template`;

  return (
    <Stack sx={{ gap: 1.5 }}>
      {chart !== null && !empty && (
        <SkipLink to="chart">Skip to the {view.form === "table" ? "table" : "chart"}</SkipLink>
      )}
      <Controls
        workflow={workflow}
        view={view}
        window={window}
        openedAt={openedAt}
        shown={span === null ? null : range}
        autoSeconds={all?.bucket.seconds ?? null}
        endsNow={data.endsNow}
        dataAt={whole.dataUpdatedAt}
        compared={data.compared.name}
        exports={empty ? null : exports.actions}
        onChange={change}
      />
      {ignored.length > 0 && (
        <Alert severity="info" variant="outlined">
          This link has parts that mean nothing here and were ignored: {ignored.join(", ")}.
        </Alert>
      )}
      {exports.error !== null && (
        <ErrorState title="The file could not be made" error={exports.error} />
      )}
      {data.compared.error !== null && (
        <ErrorState title="The other workflow could not be loaded" error={data.compared.error} />
      )}
      {data.failed !== null && all !== undefined && (
        <StaleAlert
          error={data.failed.error}
          dataAt={whole.dataUpdatedAt}
          onRetry={() => void data.failed?.refetch()}
        />
      )}
      {all === undefined && whole.isError ? (
        <ErrorState
          title="The concurrency could not be loaded"
          error={whole.error}
          onRetry={() => void whole.refetch()}
        />
      ) : empty ? (
        <Paper>
          <NothingThere
            workflow={workflow}
            view={view}
            all={window === "all"}
            onAll={() => change({ window: "all", zoom: null })}
          />
        </Paper>
      ) : (
        <>
          {tiles === null ? (
            <Skeleton variant="rounded" height={90} />
          ) : (
            <SummaryTiles
              summary={tiles}
              status={view.status}
              now={data.now}
              of={what}
              all={toldOfAll?.total.task_seconds ?? 0}
            />
          )}
          <Paper sx={{ position: "relative", p: 1.5, overflow: "hidden" }}>
            {data.loading && (
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
                  // A chart grows with what its key has to say, a table scrolls.
                  xs: view.form === "table" ? "420px auto" : "minmax(420px, auto) auto",
                  md: "clamp(340px, calc(100vh - 440px), 800px)",
                },
              }}
            >
              {chart === null ? (
                placeholder
              ) : view.form === "table" ? (
                <TableView chart={chart} range={range} name={title} />
              ) : (
                <LoadedChart
                  placeholder={placeholder}
                  ref={handle}
                  chart={chart}
                  backdrop={backdrop}
                  compared={data.compared.line}
                  marks={marks}
                  window={whatIs}
                  range={range}
                  onRange={(zoom) => change({ zoom }, true)}
                  onInstant={(ms) => change({ at: instantOf(Math.floor(ms)) })}
                  mode={mode}
                  highlight={highlight}
                  revision={JSON.stringify(window)}
                  receivedAt={data.receivedAt}
                  name={title}
                  description={`${summary === null ? "" : summarySentence(summary, view.status)} Arrow keys move through the buckets, Enter lists the tasks there, plus and minus zoom, Shift with an arrow key moves the window.`}
                  caption={
                    <ChartKey
                      workflowId={workflow.id}
                      chart={chart}
                      view={view}
                      what={what}
                      compared={data.compared.line === null ? null : data.compared.name}
                      mode={mode}
                    />
                  }
                />
              )}
              <Legend
                entries={legend}
                templates={toldOfAll === undefined ? null : templatesOf(toldOfAll)}
                marks={marks}
                page={pages[mode]}
                isolated={alone}
                onIsolate={(name) => change(isolate(view, name))}
                onMute={(name) =>
                  change(
                    toggle(view, [...new Set(all?.series.map((s) => s.task_template_name))], name),
                  )
                }
                onShowAll={() => change(showAll)}
                every={view.everyTemplate}
                onEvery={
                  view.everyTemplate || all?.other != null
                    ? () => change({ everyTemplate: !view.everyTemplate })
                    : null
                }
                onHighlight={setHighlight}
              />
            </Box>
          </Paper>
        </>
      )}
      <TasksPanel
        workflowId={workflow.id}
        at={view.at}
        status={view.status}
        templates={data.templates}
        onAt={(at) => change({ at })}
      />
    </Stack>
  );
}

const placeholder = <Skeleton variant="rounded" height="100%" aria-label="Loading the chart" />;

interface NothingThereProps {
  workflow: Workflow;
  view: View;
  all: boolean;
  onAll: () => void;
}

function NothingThere({ workflow, view, all, onAll }: NothingThereProps) {
  const did = view.status === "RUNNING" ? "running" : view.status;
  if (all || workflow.first_transition_at === null) {
    return (
      <EmptyState title={view.status === "RUNNING" ? "No task has run yet" : `No task was ${did}`}>
        The chart begins with the first task of this workflow that is {view.status}.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      title={`No task was ${did} in this window`}
      action={
        <Button variant="outlined" onClick={onAll}>
          Show the whole run
        </Button>
      }
    >
      Tasks of this workflow {verbOf(view.status)} at another time.
    </EmptyState>
  );
}
