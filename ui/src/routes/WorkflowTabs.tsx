import Skeleton from "@mui/material/Skeleton";
import Tab from "@mui/material/Tab";
import Tabs from "@mui/material/Tabs";
import { useState, type ComponentType, type KeyboardEvent } from "react";
import { Link, useLocation } from "react-router";
import type { Workflow } from "../api/types";
import { ErrorBoundary } from "../components/ErrorBoundary";
import { lazy, type Lazy } from "../components/lazy";
import { Part } from "../components/Part";

interface WorkflowTab {
  /** What its address has after the workflow's. */
  path: string;
  label: string;
  content: Lazy<ComponentType<{ workflow: Workflow }>>;
}

/** The views of a workflow; what stands first is at the workflow's own address. */
export const workflowTabs: readonly WorkflowTab[] = [
  {
    path: "",
    label: "Concurrency",
    content: lazy(() => import("../concurrency/ConcurrencyTab").then((m) => m.ConcurrencyTab)),
  },
  {
    path: "templates",
    label: "Templates",
    content: lazy(() => import("../templates/TemplatesTab").then((m) => m.TemplatesTab)),
  },
  {
    path: "tasks",
    label: "Tasks",
    content: lazy(() => import("../tasks/TasksTab").then((m) => m.TasksTab)),
  },
  {
    path: "audit",
    label: "Audit",
    content: lazy(() => import("../audit/AuditTab").then((m) => m.AuditTab)),
  },
];

interface Props {
  workflow: Workflow;
  current: WorkflowTab;
}

/** Links to the views of a workflow, and the one that the address names. */
export function WorkflowTabs({ workflow, current }: Props) {
  const searches = useSearches(current.path);
  const idOf = ({ label }: WorkflowTab) => `tab-${label.toLowerCase()}`;
  const panel = "workflow-view";
  return (
    <div>
      <Tabs
        value={current.path}
        variant="scrollable"
        allowScrollButtonsMobile
        aria-label="Views of the workflow"
        sx={{ borderBottom: 1, borderColor: "divider", mb: 2, minHeight: 40 }}
      >
        {workflowTabs.map((tab) => (
          <Tab
            key={tab.path}
            value={tab.path}
            label={tab.label}
            id={idOf(tab)}
            component={Link}
            to={{
              pathname: `/workflows/${workflow.id}${tab.path && `/${tab.path}`}`,
              search: searches.get(tab.path) ?? "",
            }}
            onKeyDown={pressWithSpace}
            {...(tab === current && { "aria-controls": panel })}
            // All of them fit on a phone.
            sx={{ minHeight: 40, minWidth: { xs: 0, sm: 90 }, px: { xs: 1.25, sm: 2 } }}
          />
        ))}
      </Tabs>
      <div role="tabpanel" id={panel} aria-labelledby={idOf(current)}>
        <ErrorBoundary key={current.path}>
          <Part
            code={current.content}
            props={{ workflow }}
            placeholder={<Skeleton variant="rounded" height={560} aria-label="Loading the view" />}
          />
        </ErrorBoundary>
      </div>
    </div>
  );
}

/** What each tab's address had after its path when it was seen last, so that its choices are found again. */
function useSearches(path: string): ReadonlyMap<string, string> {
  const { search } = useLocation();
  const [searches, setSearches] = useState<ReadonlyMap<string, string>>(new Map());
  if (searches.get(path) !== search) setSearches(new Map(searches).set(path, search));
  return searches;
}

/** A tab is pressed with the space bar too, which a link is not by itself. */
function pressWithSpace(event: KeyboardEvent<HTMLElement>) {
  if (event.key !== " ") return;
  event.preventDefault();
  event.currentTarget.click();
}
