import Autocomplete from "@mui/material/Autocomplete";
import Checkbox from "@mui/material/Checkbox";
import TextField from "@mui/material/TextField";
import { createElement } from "react";

interface Props {
  names: readonly string[];
  /** The ones that are shown; all where there is none. */
  only: readonly string[];
  onOnly: (names: readonly string[]) => void;
}

/** Shows some templates and no others. */
export function TemplatePicker({ names, only, onOnly }: Props) {
  return (
    <Autocomplete
      multiple
      size="small"
      disableCloseOnSelect
      limitTags={1}
      options={[...new Set([...names, ...only])]}
      value={[...only]}
      onChange={(_, chosen) => onOnly(chosen)}
      noOptionsText="No template has this name"
      renderOption={({ key, ...props }, name, { selected }) => (
        <li key={key} {...props} style={{ overflowWrap: "anywhere" }}>
          <Checkbox size="small" checked={selected} sx={{ p: 0.5, mr: 0.5 }} tabIndex={-1} />
          {name}
        </li>
      )}
      renderInput={(params) =>
        createElement(TextField, {
          ...params,
          label: "Template",
          placeholder: only.length === 0 ? "All" : "",
          slotProps: {
            ...params.slotProps,
            inputLabel: { ...params.slotProps.inputLabel, shrink: true },
          },
        })
      }
      sx={{ minWidth: 150, width: only.length === 0 ? 150 : 260, maxWidth: "100%" }}
    />
  );
}
