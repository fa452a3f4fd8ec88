import Box from "@mui/material/Box";
import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import { useState, type ReactNode } from "react";
import { formatDuration } from "../format";
import {
  forms,
  granularities,
  granularitySeconds,
  instantOf,
  maxBuckets,
  presets,
  stats,
  statuses,
  type Form,
  type Granularity,
  type Preset,
  type Span,
  type Stat,
  type Status,
} from "./view";

interface WindowProps {
  /** The preset that is in force, if one is. */
  preset: Preset | null;
  /** What is on screen, in milliseconds; null before it is known. */
  shown: readonly [from: number, to: number] | null;
  onPreset: (preset: Preset) => void;
  onSpan: (span: Span) => void;
}

/** Start, End and the presets. */
export function WindowControls({ preset, shown, onPreset, onSpan }: WindowProps) {
  return (
    <>
      {shown === null ? (
        <Box sx={{ width: 444, maxWidth: "100%" }} />
      ) : (
        <SpanFields key={shown.join()} shown={shown} onSpan={onSpan} />
      )}
      <ToggleButtonGroup
        exclusive
        size="small"
        color="primary"
        aria-label="Time range"
        value={preset}
        onChange={(_, value: Preset | null) => {
          if (value !== null) onPreset(value);
        }}
      >
        {presets.map((one) => (
          <ToggleButton key={one} value={one} sx={{ px: 1, minWidth: 40 }}>
            {one === "all" ? "All" : one}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
    </>
  );
}

interface SpanFieldsProps {
  shown: readonly [from: number, to: number];
  onSpan: (span: Span) => void;
}

/** Takes effect when a field is left or Enter is pressed, and only as long as it makes sense. */
function SpanFields({ shown, onSpan }: SpanFieldsProps) {
  const [start, setStart] = useState(() => fieldOf(shown[0]));
  const [end, setEnd] = useState(() => fieldOf(shown[1]));
  const from = Date.parse(`${start}Z`);
  const to = Date.parse(`${end}Z`);
  const wrong = Number.isNaN(from) || Number.isNaN(to) || from >= to;
  function commit() {
    const same = start === fieldOf(shown[0]) && end === fieldOf(shown[1]);
    if (!wrong && !same) onSpan({ start: instantOf(from), end: instantOf(to) });
  }
  const field = {
    type: "datetime-local",
    size: "small",
    onBlur: commit,
    slotProps: { htmlInput: { step: 1 }, inputLabel: { shrink: true } },
    sx: { width: 216, "& input": { fontSize: "0.8125rem" } },
  } as const;
  return (
    <Box
      component="form"
      aria-label="Window"
      onSubmit={(event) => {
        event.preventDefault();
        commit();
      }}
      sx={{ display: "flex", flexWrap: "wrap", gap: 1.5 }}
    >
      <TextField
        {...field}
        label="Start (UTC)"
        value={start}
        onChange={(event) => setStart(event.target.value)}
      />
      <TextField
        {...field}
        label="End (UTC)"
        value={end}
        error={wrong}
        helperText={wrong ? "The end must be after the start." : undefined}
        onChange={(event) => setEnd(event.target.value)}
      />
      <button type="submit" hidden />
    </Box>
  );
}

/** As the field has it, in UTC: to the second, which is the finest bucket. */
function fieldOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}

interface BucketProps {
  granularity: Granularity;
  /** Length of what is on screen: too fine a bucket cannot be chosen. */
  seconds: number;
  /** Width of the bucket that the server chose, where it was left to it. */
  autoSeconds: number | null;
  onGranularity: (granularity: Granularity) => void;
}

export function BucketSelect({ granularity, seconds, autoSeconds, onGranularity }: BucketProps) {
  const auto =
    granularity !== "auto" || autoSeconds === null
      ? "Auto"
      : `Auto (${formatDuration(autoSeconds)})`;
  return (
    <Choice
      label="Bucket"
      value={granularity}
      choices={granularities}
      words={(choice) => (choice === "auto" ? auto : formatDuration(granularitySeconds(choice)))}
      disabled={(choice) => choice !== "auto" && seconds / granularitySeconds(choice) > maxBuckets}
      onChoice={onGranularity}
    />
  );
}

const statWords: Record<Stat, string> = {
  mean: "Mean",
  peak: "Peak",
  start: "At instant",
};

const formWords: Record<Form, string> = {
  areas: "By template",
  total: "Total line",
  table: "Table",
};

interface WhatProps {
  status: Status;
  stat: Stat;
  form: Form;
  onStatus: (status: Status) => void;
  onStat: (stat: Stat) => void;
  onForm: (form: Form) => void;
}

/** Which tasks are counted, which number of a bucket is shown, and how. */
export function WhatControls(props: WhatProps) {
  return (
    <>
      <Choice
        label="Status"
        value={props.status}
        choices={statuses}
        words={(choice) =>
          choice === "ACTIVE"
            ? "ACTIVE (Q, I, O, R)"
            : choice === "PENDING"
              ? "PENDING (Q, I)"
              : choice
        }
        onChoice={props.onStatus}
      />
      <Choice
        label="Value"
        value={props.stat}
        choices={stats}
        words={(choice) => statWords[choice]}
        onChoice={props.onStat}
      />
      <Choice
        label="Show"
        value={props.form}
        choices={forms}
        words={(choice) => formWords[choice]}
        onChoice={props.onForm}
      />
    </>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  choices: readonly T[];
  words: (choice: T) => string;
  disabled?: (choice: T) => boolean;
  onChoice: (choice: T) => void;
}

function Choice<T extends string>(props: ChoiceProps<T>) {
  return (
    <TextField
      select
      size="small"
      label={props.label}
      value={props.value}
      onChange={(event) => {
        const value = props.choices.find((choice) => choice === event.target.value);
        if (value !== undefined) props.onChoice(value);
      }}
      sx={{ minWidth: 112 }}
    >
      {props.choices.map((choice) => (
        <MenuItem key={choice} value={choice} disabled={props.disabled?.(choice) ?? false}>
          {props.words(choice)}
        </MenuItem>
      ))}
    </TextField>
  );
}

/** A row of controls that wraps. */
export function ToolbarRow({ children }: { children: ReactNode }) {
  return (
    <Stack direction="row" sx={{ flexWrap: "wrap", alignItems: "center", gap: 1.5 }}>
      {children}
    </Stack>
  );
}
