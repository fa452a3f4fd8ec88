import Autocomplete from "@mui/material/Autocomplete";
import TextField from "@mui/material/TextField";
import { useQuery } from "@tanstack/react-query";
import { taskTemplatesQuery } from "../services/workflows";

interface Props {
  workflowId: number;
  value: readonly string[];
  onChange: (templates: readonly string[]) => void;
}

/** Chooses among the templates of a workflow; none means all of them. */
export function TemplateSelect({ workflowId, value, onChange }: Props) {
  const templates = useQuery(taskTemplatesQuery(workflowId));
  return (
    <Autocomplete
      multiple
      size="small"
      limitTags={2}
      disableCloseOnSelect
      options={templates.data?.task_templates ?? []}
      loading={templates.isPending}
      value={[...value]}
      // An address may name a template that the workflow does not have, or not yet.
      isOptionEqualToValue={(option, chosen) => option === chosen}
      onChange={(_, chosen) => onChange(chosen)}
      sx={{ flex: "1 1 140px", maxWidth: { sm: 480 } }}
      slotProps={{
        chip: { size: "small" },
        listbox: { sx: { overflowWrap: "anywhere" } },
      }}
      renderInput={(params) => (
        <TextField
          {...params}
          label="Template"
          placeholder={value.length === 0 ? "All" : ""}
          slotProps={{
            ...params.slotProps,
            inputLabel: { ...params.slotProps.inputLabel, shrink: true },
          }}
        />
      )}
    />
  );
}
