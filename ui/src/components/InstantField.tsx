import TextField from "@mui/material/TextField";
import { useState } from "react";
import { formatInstant } from "../format";
import { parseInstant } from "../instant";

interface Props {
  label: string;
  /** An instant of the API; null where none is chosen. */
  value: string | null;
  /** What no instant means, as "now". */
  none: string;
  /** In pixels; a second has room in 176, a microsecond in what is usual. */
  width?: number;
  onChange: (value: string | null) => void;
}

/** A date and time in UTC, which is told once it is whole: with Enter, or when the field is left. */
export function InstantField({ label, value, none, width = 232, onChange }: Props) {
  const shown = value === null ? "" : written(value);
  const [text, setText] = useState(shown);
  const [wrong, setWrong] = useState(false);
  const [seen, setSeen] = useState(value);
  if (value !== seen) {
    // It was changed from elsewhere, as by the browser's Back, or is told back as it is written here.
    setSeen(value);
    setText(shown);
    setWrong(false);
  }

  function tell() {
    const instant = parseInstant(text);
    const valid = instant !== null || text.trim() === "" || text === shown;
    setWrong(!valid);
    if (valid && text !== shown) onChange(instant);
  }

  return (
    <TextField
      size="small"
      label={`${label} (UTC)`}
      placeholder={none}
      value={text}
      error={wrong}
      helperText={wrong ? "Write it like 2022-05-13 03:24:14" : undefined}
      onChange={(event) => setText(event.target.value)}
      onBlur={tell}
      onKeyDown={(event) => {
        if (event.key === "Enter") tell();
      }}
      title={text}
      sx={{ width: { xs: "100%", sm: width } }}
      slotProps={{ inputLabel: { shrink: true }, htmlInput: { maxLength: 40 } }}
    />
  );
}

/** As a person would write it; what is no instant stays as it is, for the server to refuse. */
function written(value: string): string {
  return Number.isNaN(Date.parse(value)) ? value : formatInstant(value).replace(/ UTC$/, "");
}
