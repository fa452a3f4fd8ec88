import Box from "@mui/material/Box";
import FormControlLabel from "@mui/material/FormControlLabel";
import Stack from "@mui/material/Stack";
import Switch from "@mui/material/Switch";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { TemplateStats, TemplateStatsList, Workflow } from "../api/types";
import { DataTable, None, type Column } from "../components/DataTable";
import { Loaded } from "../components/Loaded";
import { NameLink } from "../components/NameLink";
import { EmptyState } from "../components/states";
import { StatusBar } from "../components/StatusBar";
import { StatusLegend } from "../components/StatusLegend";
import { formatElapsed, formatInstant, formatNumber, formatShare } from "../format";
import { useListParams } from "../routes/useListParams";
import { tasksOfTemplate, templateOnChart } from "../routes/workflowLinks";
import { templateStatsQuery } from "../services/templates";
import { barOrder, countsOf } from "../taskWords";
import {
  nextSort,
  parseSort,
  quantile,
  sortTemplates,
  tasksOf,
  writeSort,
  type Quantile,
} from "./sorting";

/** What became of the tasks of each template, and how long their runs took. */
export function TemplatesTab({ workflow }: { workflow: Workflow }) {
  const { params, filter } = useListParams();
  const sort = parseSort(params.get("sort"));
  const all = params.get("quantiles") === "all";
  const stats = useQuery(templateStatsQuery(workflow.id));
  const columns = useMemo(() => columnsOf(workflow.id, all), [workflow.id, all]);
  return (
    <Stack sx={{ gap: 2 }}>
      <Stack
        direction="row"
        sx={{ flexWrap: "wrap", alignItems: "center", columnGap: 3, minHeight: 40 }}
      >
        <StatusLegend statuses={statusesIn(stats.data)} />
        <span style={{ flex: 1 }} />
        <FormControlLabel
          control={<Switch size="small" />}
          checked={all}
          onChange={(_, on) => filter("quantiles", on ? ["all"] : [])}
          label="All quantiles"
          slotProps={{ typography: { variant: "body2" } }}
          sx={{ mr: 0 }}
        />
      </Stack>
      <Loaded query={stats} what="The templates">
        {(data) =>
          data?.templates.length === 0 ? (
            <EmptyState title="No templates yet">
              They are listed here with the first tasks that are bound to them.
            </EmptyState>
          ) : (
            <DataTable
              label="Templates"
              columns={columns}
              rows={data && sortTemplates(data.templates, sort)}
              rowKey={(template) => template.task_template_name}
              sort={sort}
              onSort={(column) => {
                const text = writeSort(nextSort(sort, column));
                filter("sort", text === null ? [] : [text]);
              }}
            />
          )
        }
      </Loaded>
      {stats.data !== undefined && stats.data.templates.length > 0 && <Notes stats={stats.data} />}
    </Stack>
  );
}

/** The statuses that some template has tasks in. */
function statusesIn(stats: TemplateStatsList | undefined) {
  return barOrder.filter((status) =>
    stats?.templates.some(({ tasks }) => (tasks[status] ?? 0) > 0),
  );
}

function Notes({ stats }: { stats: TemplateStatsList }) {
  const lost = stats.templates.some(({ runs, retries }) => runs === null || retries === null);
  return (
    <Box component="ul" sx={{ m: 0, pl: 2.5, typography: "body2", color: "text.secondary" }}>
      <li>
        Run times are of attempts that ended in DONE: half of them took no longer than p50, 90% no
        longer than p90. Each may be off by {formatShare(stats.run_time_error)} of itself.
      </li>
      {stats.data_from !== null && (
        <li>
          Attempts, retries and run times are counted from {formatInstant(stats.data_from)} on: what
          was before is removed. The numbers of tasks are of all.
        </li>
      )}
      {lost && (
        <li>
          Where it says “not known”, transitions were removed before retries and run times were told
          apart.
        </li>
      )}
      <li>As of {formatInstant(stats.generated_at)}.</li>
    </Box>
  );
}

function columnsOf(workflowId: number, all: boolean): Column<TemplateStats>[] {
  const number = (
    id: string,
    name: string,
    value: (stats: TemplateStats) => number | null,
  ): Column<TemplateStats> => ({
    id,
    name,
    align: "right",
    sortable: true,
    cell: (stats) => {
      const found = value(stats);
      return found === null ? <NotKnown /> : formatNumber(found);
    },
  });
  const time = (id: Quantile): Column<TemplateStats> => ({
    id,
    name: id === "max" ? "Longest run" : `Run ${id}`,
    align: "right",
    sortable: true,
    cell: (stats) => {
      if (stats.runs === null) return <NotKnown />;
      const seconds = quantile(id)(stats);
      return seconds === null ? (
        <None />
      ) : (
        <span style={{ whiteSpace: "nowrap" }}>{formatElapsed(seconds)}</span>
      );
    },
  });
  return [
    {
      id: "name",
      name: "Template",
      sortable: true,
      minWidth: 200,
      cell: ({ task_template_name: name }) => (
        <NameLink to={templateOnChart(workflowId, name)}>{name}</NameLink>
      ),
    },
    {
      ...number("tasks", "Tasks", tasksOf),
      cell: (stats) => (
        <NameLink
          to={tasksOfTemplate(workflowId, stats.task_template_name)}
          label={`The ${formatNumber(tasksOf(stats))} tasks of ${stats.task_template_name}`}
        >
          {formatNumber(tasksOf(stats))}
        </NameLink>
      ),
    },
    {
      id: "statuses",
      name: "By status",
      help: "statuses",
      cell: ({ tasks }) => <StatusBar counts={countsOf(tasks)} />,
    },
    { ...number("attempts", "Attempts", (stats) => stats.attempts), help: "attempts" },
    { ...number("retries", "Retries", (stats) => stats.retries), help: "retries" },
    number("failed", "Failed attempts", (stats) => stats.failed_attempts),
    ...(all ? [number("runs", "Runs", (stats) => stats.runs?.count ?? null)] : []),
    ...(all ? [time("p10"), time("p25")] : []),
    { ...time("p50"), help: "quantile" },
    ...(all ? [time("p75")] : []),
    time("p90"),
    time("p99"),
    time("max"),
  ];
}

function NotKnown() {
  return (
    <Box component="span" sx={{ color: "text.secondary", whiteSpace: "nowrap" }}>
      not known
    </Box>
  );
}
