import Button from "@mui/material/Button";
import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import { useState } from "react";
import type { Workflow } from "../api/types";
import { InstantField } from "../components/InstantField";
import { TemplateSelect } from "../components/TemplateSelect";
import { useListParams } from "../routes/useListParams";
import { choiceWords, parseTasksView, statusChoices, statusesOf } from "./filters";
import type { TaskToSet } from "./statusUpdate";
import { StatusUpdates } from "./StatusUpdates";
import { Suspects } from "./Suspects";
import { TasksTable } from "./TasksTable";

/** The tasks of a workflow, at any instant: now, to begin with. */
export function TasksTab({ workflow }: { workflow: Workflow }) {
  const { params, filter, paging } = useListParams();
  const view = parseTasksView(params, workflow);
  const [asked, setAsked] = useState<readonly TaskToSet[] | null>(null);
  return (
    <Stack sx={{ gap: 2 }}>
      <StatusUpdates
        workflowId={workflow.id}
        workflowName={workflow.name}
        asked={asked}
        onClose={() => setAsked(null)}
      />
      <Suspects workflowId={workflow.id} onSetStatus={setAsked} />
      <Stack
        role="search"
        aria-label="Filters"
        direction="row"
        sx={{ flexWrap: "wrap", alignItems: "flex-start", gap: 1.5 }}
      >
        <TextField
          select
          size="small"
          label="Status"
          value={view.status}
          onChange={(event) => filter("status", [event.target.value])}
          sx={{ minWidth: 250 }}
        >
          {statusChoices.map((choice) => (
            <MenuItem key={choice} value={choice}>
              {choiceWords(choice)}
            </MenuItem>
          ))}
        </TextField>
        <TemplateSelect
          workflowId={workflow.id}
          value={view.templates}
          onChange={(templates) => filter("template", templates)}
        />
        <InstantField
          label="At"
          value={view.at}
          none="now"
          onChange={(at) => filter("at", at === null ? [] : [at])}
        />
        {view.at !== null && (
          <Button onClick={() => filter("at", [])} sx={{ minHeight: 40 }}>
            Now
          </Button>
        )}
      </Stack>
      <TasksTable
        workflowId={workflow.id}
        at={view.at}
        statuses={statusesOf(view.status)}
        templates={view.templates}
        paging={paging}
        // What a task was at another time is no ground to change what it is.
        onSetStatus={view.at === null ? setAsked : undefined}
        emptyAction={
          view.status === "ANY" ? undefined : (
            <Button variant="outlined" onClick={() => filter("status", ["ANY"])}>
              Show tasks in any status
            </Button>
          )
        }
      />
    </Stack>
  );
}
