import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import FormControlLabel from "@mui/material/FormControlLabel";
import FormLabel from "@mui/material/FormLabel";
import Radio from "@mui/material/Radio";
import RadioGroup from "@mui/material/RadioGroup";
import Stack from "@mui/material/Stack";
import { useState } from "react";
import type { StatusUpdateAnswer } from "../api/types";
import { ErrorState } from "../components/states";
import { useStatusUpdate } from "../services/tasks";
import { tasksWords } from "../taskWords";
import {
  chosenWords,
  consequences,
  recursiveWords,
  targetName,
  targets,
  type Target,
  type TaskToSet,
} from "./statusUpdate";

interface Props {
  workflowId: number;
  workflowName: string;
  /** The tasks that are asked about; null while none are. */
  asked: readonly TaskToSet[] | null;
  onClose: () => void;
}

/** Asks an administrator which status to set chosen tasks to, and tells what came of it. */
export function StatusUpdates({ workflowId, workflowName, asked, onClose }: Props) {
  const [outcome, setOutcome] = useState<StatusUpdateAnswer | null>(null);
  return (
    <>
      {outcome !== null && (
        <Alert severity="success" variant="outlined" role="status" onClose={() => setOutcome(null)}>
          {outcome.message}
          {outcome.unknown_task_ids !== undefined &&
            `; no task of the workflow: ${outcome.unknown_task_ids.join(", ")}`}
        </Alert>
      )}
      {asked !== null && (
        <Question
          workflowId={workflowId}
          workflowName={workflowName}
          tasks={asked}
          onClose={onClose}
          onDone={(answer) => {
            setOutcome(answer);
            onClose();
          }}
        />
      )}
    </>
  );
}

interface QuestionProps {
  workflowId: number;
  workflowName: string;
  tasks: readonly TaskToSet[];
  onClose: () => void;
  onDone: (answer: StatusUpdateAnswer) => void;
}

function Question({ workflowId, workflowName, tasks, onClose, onDone }: QuestionProps) {
  const [to, setTo] = useState<Target | null>(null);
  const [recursive, setRecursive] = useState(false);
  const update = useStatusUpdate();
  const what = tasks.length === 1 ? "this task" : `these ${tasksWords(tasks.length)}`;
  return (
    <Dialog
      open
      fullWidth
      maxWidth="sm"
      aria-labelledby="status-update"
      // What was begun is told to its end.
      onClose={() => {
        if (!update.isPending) onClose();
      }}
    >
      <DialogTitle id="status-update" variant="h2" sx={{ pb: 1 }}>
        Set the status of {what}
      </DialogTitle>
      <DialogContent>
        <Stack sx={{ gap: 2 }}>
          <Box sx={{ typography: "body2", overflowWrap: "anywhere" }}>
            {tasks.length === 1 ? <bdi>{tasks[0].name}</bdi> : chosenNames(tasks)}, of the workflow{" "}
            <bdi>{workflowName}</bdi>
          </Box>
          <div>
            <FormLabel id="status-update-to">Set to</FormLabel>
            <RadioGroup
              aria-labelledby="status-update-to"
              value={to ?? ""}
              onChange={(_, value) => setTo(value === "G" ? "G" : "D")}
            >
              {targets.map((target) => (
                <FormControlLabel
                  key={target.to}
                  value={target.to}
                  disabled={update.isPending}
                  control={<Radio size="small" />}
                  label={`${targetName(target.to)}: ${target.means}`}
                />
              ))}
            </RadioGroup>
          </div>
          {to !== null && (
            <>
              <FormControlLabel
                control={<Checkbox size="small" />}
                checked={recursive}
                disabled={update.isPending}
                onChange={(_, on) => setRecursive(on)}
                label={recursiveWords(to)}
              />
              <Box component="section" aria-label="What it does" sx={{ typography: "body2" }}>
                <strong>{chosenWords(tasks, to)}</strong>
                <Box component="ul" sx={{ pl: 2.5, my: 1 }}>
                  {consequences(to, recursive).map((sentence) => (
                    <li key={sentence}>{sentence}</li>
                  ))}
                </Box>
                The statuses are those of the list; a task may have moved on since. The audit keeps
                what was. It cannot be undone.
              </Box>
            </>
          )}
          {update.isError && (
            <ErrorState title="The status was not confirmed as set" error={update.error} />
          )}
        </Stack>
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 2 }}>
        <Button onClick={onClose} disabled={update.isPending}>
          Cancel
        </Button>
        <Button
          variant="contained"
          color="warning"
          disabled={to === null}
          loading={update.isPending}
          onClick={() => {
            if (to === null) return;
            update.mutate(
              {
                workflow_id: workflowId,
                task_ids: tasks.map(({ id }) => id),
                new_status: to,
                recursive,
              },
              { onSuccess: onDone },
            );
          }}
        >
          {to === null ? "Set" : `Set ${tasksWords(tasks.length)} to ${targetName(to)}`}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

const namesShown = 3;

/** "align_1, align_2, align_3 and 4 more". */
function chosenNames(tasks: readonly TaskToSet[]) {
  const rest = tasks.length - namesShown;
  return (
    <>
      {tasks.slice(0, namesShown).map(({ id, name }, i) => (
        <span key={id}>
          {i > 0 && ", "}
          <bdi>{name}</bdi>
        </span>
      ))}
      {rest > 0 && ` and ${rest.toLocaleString("en")} more`}
    </>
  );
}
