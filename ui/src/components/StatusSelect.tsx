import Checkbox from "@mui/material/Checkbox";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import type { TaskStatus } from "../api/types";
import { taskStatuses, taskStatusWords } from "../taskWords";
import { TaskStatusLabel } from "./TaskStatusLabel";

interface Props {
  label: string;
  value: readonly TaskStatus[];
  onChange: (statuses: readonly TaskStatus[]) => void;
}

/** Chooses among the statuses of tasks; none means all of them. */
export function StatusSelect({ label, value, onChange }: Props) {
  return (
    <TextField
      select
      size="small"
      label={label}
      value={value}
      onChange={(event) => {
        // MUI tells a list where several can be chosen, whatever the type of the event says.
        const chosen: readonly string[] = [event.target.value].flat();
        onChange(taskStatuses.filter((status) => chosen.includes(status)));
      }}
      sx={{ minWidth: 170, maxWidth: 320 }}
      slotProps={{
        inputLabel: { shrink: true },
        select: {
          multiple: true,
          displayEmpty: true,
          renderValue: () => value.map(taskStatusWords).join(", ") || "Any",
        },
      }}
    >
      {taskStatuses.map((status) => (
        <MenuItem key={status} value={status} sx={{ py: 0.25 }}>
          <Checkbox
            size="small"
            tabIndex={-1}
            checked={value.includes(status)}
            slotProps={{ input: { "aria-hidden": true } }}
          />
          <TaskStatusLabel status={status} />
        </MenuItem>
      ))}
    </TextField>
  );
}
