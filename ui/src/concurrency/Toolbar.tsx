import Box from "@mui/material/Box";
import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import { useState, type ReactNode } from "react";
import { InstantField } from "../components/InstantField";
import { Help, type HelpKey } from "../help/Help";
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
  const [wrong, setWrong] = useState(false);
  const start = shown === null ? null : instantOf(shown[0]);
  const end = shown === null ? null : instantOf(shown[1]);
  function tell(from: string | null, to: string | null) {
    const ordered = from !== null && to !== null && Date.parse(from) < Date.parse(to);
    setWrong(!ordered);
    if (ordered) onSpan({ start: from, end: to });
  }
  return (
    <>
      <InstantField
        label="Start"
        none=""
        width={176}
        value={start}
        onChange={(from) => tell(from ?? start, end)}
      />
      <InstantField
        label="End"
        none=""
        width={176}
        value={end}
        onChange={(to) => tell(start, to ?? end)}
      />
      {wrong && (
        <Box role="alert" sx={{ typography: "body2", color: "error.main" }}>
          The end must be after the start.
        </Box>
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
        sx={{ width: { xs: "100%", sm: "auto" } }}
      >
        {presets.map((one) => (
          <ToggleButton key={one} value={one} sx={{ px: 0.75, minWidth: 36, flex: 1 }}>
            {one === "all" ? "All" : one}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
    </>
  );
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
      help={["bucket"]}
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
        help={["running", "active", "pending"]}
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
        help={["mean", "peak", "start"]}
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
  help?: readonly [HelpKey, ...HelpKey[]];
  value: T;
  choices: readonly T[];
  words: (choice: T) => string;
  disabled?: (choice: T) => boolean;
  onChoice: (choice: T) => void;
}

function Choice<T extends string>(props: ChoiceProps<T>) {
  const { label, help } = props;
  return (
    <Box sx={{ position: "relative", display: "flex", flex: { xs: "1 1 40%", sm: "none" } }}>
      <TextField
        select
        size="small"
        label={label}
        value={props.value}
        onChange={(event) => {
          const value = props.choices.find((choice) => choice === event.target.value);
          if (value !== undefined) props.onChoice(value);
        }}
        sx={{ minWidth: 96, flex: 1 }}
      >
        {props.choices.map((choice) => (
          <MenuItem key={choice} value={choice} disabled={props.disabled?.(choice) ?? false}>
            {props.words(choice)}
          </MenuItem>
        ))}
      </TextField>
      {help !== undefined && <Help about={help} label={label} sx={onBorder} />}
    </Box>
  );
}

/** On a field's upper border, opposite to its label, where it takes no room from what is chosen. */
const onBorder = {
  position: "absolute",
  top: -12,
  right: 4,
  "& svg": { bgcolor: "background.default" },
};

/** A row of controls that wraps. */
export function ToolbarRow({ children }: { children: ReactNode }) {
  return (
    <Stack
      direction="row"
      sx={{ flexWrap: "wrap", alignItems: "center", columnGap: 1, rowGap: 1.25 }}
    >
      {children}
    </Stack>
  );
}
