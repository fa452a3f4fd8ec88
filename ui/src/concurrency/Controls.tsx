import Box from "@mui/material/Box";
import FormControlLabel from "@mui/material/FormControlLabel";
import Stack from "@mui/material/Stack";
import Switch from "@mui/material/Switch";
import { useNavigate } from "react-router";
import type { Workflow } from "../api/types";
import type { Range } from "../charts/timeline";
import { DownloadIcon } from "../components/icons";
import { TemplateSelect } from "../components/TemplateSelect";
import { Help, type HelpKey } from "../help/Help";
import { CopyLink } from "./CopyLink";
import { LiveControl } from "./LiveControl";
import { MenuButton, type Action } from "./MenuButton";
import { show } from "./model";
import { BucketSelect, ToolbarRow, WhatControls, WindowControls } from "./Toolbar";
import { windowSeconds, type TimeWindow, type View } from "./view";
import { WorkflowPicker } from "./WorkflowPicker";

interface Props {
  workflow: Workflow;
  view: View;
  window: TimeWindow;
  openedAt: number;
  /** What is on screen, in milliseconds; null before it is known. */
  shown: Range | null;
  autoSeconds: number | null;
  endsNow: boolean;
  dataAt: number;
  /** The name of the workflow that is compared, once it is known. */
  compared: string | null;
  /** Null while there is nothing to export. */
  exports: { picture: readonly Action[]; table: readonly Action[] } | null;
  onChange: (change: Partial<View>) => void;
}

/** Everything that can be chosen about the chart, in the order in which it is usually asked. */
export function Controls(props: Props) {
  const { workflow, view, window, shown, onChange } = props;
  const navigate = useNavigate();
  const seconds =
    view.zoom === null
      ? windowSeconds(window, workflow, props.openedAt)
      : (view.zoom[1] - view.zoom[0]) / 1000;
  return (
    <Stack component="section" aria-label="What is shown" sx={{ gap: 1.25 }}>
      <ToolbarRow>
        <WindowControls
          preset={view.zoom === null && typeof window === "string" ? window : null}
          shown={shown}
          onPreset={(preset) => onChange({ window: preset, zoom: null })}
          onSpan={(span) => onChange({ window: span, zoom: null })}
        />
        <BucketSelect
          granularity={view.granularity}
          seconds={seconds}
          autoSeconds={props.autoSeconds}
          onGranularity={(granularity) => onChange({ granularity })}
        />
        <WorkflowPicker
          label="Workflow"
          value={workflow}
          onChoice={(id) => {
            if (id !== null) void navigate(`/workflows/${id}`);
          }}
        />
        <TemplateSelect
          workflowId={workflow.id}
          value={view.only}
          onChange={(names) => onChange(show(names))}
        />
        <MenuButton
          label="PNG"
          icon={<DownloadIcon />}
          disabled={props.exports === null || view.form === "table"}
          actions={props.exports?.picture ?? []}
        />
        <MenuButton
          label="CSV"
          icon={<DownloadIcon />}
          disabled={props.exports === null}
          actions={props.exports?.table ?? []}
        />
      </ToolbarRow>
      <ToolbarRow>
        <WhatControls
          status={view.status}
          stat={view.stat}
          form={view.form}
          onStatus={(status) => onChange({ status })}
          onStat={(stat) => onChange({ stat })}
          onForm={(form) => onChange({ form })}
        />
        <WorkflowPicker
          label="Compare with"
          clearable
          value={
            view.compare === null
              ? null
              : { id: view.compare, name: props.compared ?? `Workflow ${view.compare}` }
          }
          onChoice={(compare) => onChange({ compare })}
        />
        <Flag
          label="Limits"
          help={["limits", "active"]}
          checked={view.limits}
          onChecked={(limits) => onChange({ limits })}
        />
        <Flag
          label="Pending"
          help={["pendingBand"]}
          checked={view.pending}
          disabled={view.status !== "RUNNING" || view.stat === "peak"}
          onChecked={(pending) => onChange({ pending })}
        />
        <Flag
          label="Retries apart"
          help={["retriesApart"]}
          checked={view.split}
          onChecked={(split) => onChange({ split })}
        />
        <CopyLink view={view} shown={shown} />
        {props.endsNow && (
          <LiveControl
            live={view.live}
            dataAt={props.dataAt}
            onLive={(live) => onChange({ live })}
          />
        )}
      </ToolbarRow>
    </Stack>
  );
}

interface FlagProps {
  label: string;
  help: readonly [HelpKey, ...HelpKey[]];
  checked: boolean;
  disabled?: boolean;
  onChecked: (checked: boolean) => void;
}

function Flag({ label, help, checked, disabled = false, onChecked }: FlagProps) {
  return (
    <Box sx={{ display: "inline-flex", alignItems: "center" }}>
      <FormControlLabel
        label={label}
        disabled={disabled}
        control={
          <Switch size="small" checked={checked} onChange={(_, checked) => onChecked(checked)} />
        }
        sx={{
          ml: -0.75,
          mr: 0,
          gap: 0,
          "& .MuiFormControlLabel-label": { fontSize: "0.875rem" },
        }}
      />
      <Help about={help} label={label} sx={{ ml: -0.25, mr: -0.5 }} />
    </Box>
  );
}
