import TextField from "@mui/material/TextField";
import { useState } from "react";

interface Props {
  label: string;
  /** Digits, or "" for none. */
  value: string;
  onChange: (value: string) => void;
}

/** The number of something, which is told with Enter, or when the field is left. */
export function IdField({ label, value, onChange }: Props) {
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  if (value !== seen) {
    setSeen(value);
    setText(value);
  }
  const tell = () => {
    if (text !== value) onChange(text);
  };
  return (
    <TextField
      size="small"
      label={label}
      placeholder="any"
      value={text}
      onChange={(event) => setText(event.target.value.replace(/^0+|\D/g, ""))}
      onBlur={tell}
      onKeyDown={(event) => {
        if (event.key === "Enter") tell();
      }}
      sx={{ width: 120 }}
      slotProps={{
        inputLabel: { shrink: true },
        htmlInput: { inputMode: "numeric", maxLength: 16 },
      }}
    />
  );
}
