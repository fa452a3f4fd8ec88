import Autocomplete from "@mui/material/Autocomplete";
import TextField from "@mui/material/TextField";
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import type { Workflow } from "../api/types";
import { workflowsQuery } from "../services/workflows";

interface Props {
  label: string;
  /** The one that is chosen; null where none is. */
  value: Pick<Workflow, "id" | "name"> | null;
  clearable?: boolean;
  onChoice: (id: number | null) => void;
}

/** Finds a workflow by a part of its name, the newest first. */
export function WorkflowPicker({ label, value, clearable = false, onChoice }: Props) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const search = useDeferredValue(text === value?.name ? "" : text);
  const found = useQuery({
    ...workflowsQuery({ limit: 50, ...(search !== "" && { search }) }),
    enabled: open,
  });
  const options: Pick<Workflow, "id" | "name">[] = found.data?.workflows ?? [];
  return (
    <Autocomplete
      size="small"
      open={open}
      onOpen={() => setOpen(true)}
      onClose={() => setOpen(false)}
      options={options}
      value={value}
      loading={found.isFetching}
      disableClearable={!clearable}
      filterOptions={(all) => all}
      getOptionLabel={(workflow) => workflow.name}
      getOptionKey={(workflow) => workflow.id}
      isOptionEqualToValue={(a, b) => a.id === b.id}
      noOptionsText={
        found.isError ? "The workflows could not be loaded" : "No workflow has this name"
      }
      onInputChange={(_, input) => setText(input)}
      onChange={(_, workflow) => onChoice(workflow?.id ?? null)}
      renderInput={(params) => <TextField {...params} label={label} />}
      slotProps={{ listbox: { sx: { overflowWrap: "anywhere" } } }}
      sx={{ flex: "1 1 116px", maxWidth: { sm: 320 } }}
    />
  );
}
