import ButtonBase from "@mui/material/ButtonBase";
import Tooltip from "@mui/material/Tooltip";
import type { ComponentType } from "react";
import {
  HandIcon,
  PanLeftIcon,
  PanRightIcon,
  ResetIcon,
  ZoomInIcon,
  ZoomOutIcon,
} from "../components/icons";

interface Props {
  drag: "zoom" | "pan";
  onDrag: (drag: "zoom" | "pan") => void;
  /** How many times as long the range is to be; 0 for the whole window. */
  onZoom: (factor: number) => void;
  /** By which share of itself the range is to move. */
  onPan: (share: number) => void;
}

/** Everything that hands can do on the chart, as buttons that name their keys. */
export function ChartButtons({ drag, onDrag, onZoom, onPan }: Props) {
  return (
    <>
      <ChartButton label="Earlier (Shift ←)" Icon={PanLeftIcon} onClick={() => onPan(-0.5)} />
      <ChartButton label="Later (Shift →)" Icon={PanRightIcon} onClick={() => onPan(0.5)} />
      <ChartButton label="Zoom in (+)" Icon={ZoomInIcon} onClick={() => onZoom(0.5)} />
      <ChartButton label="Zoom out (−)" Icon={ZoomOutIcon} onClick={() => onZoom(2)} />
      <ChartButton
        label="Whole window (0, or double-click)"
        Icon={ResetIcon}
        onClick={() => onZoom(0)}
      />
      <ChartButton
        label="Drag to move, and not to zoom (Shift-drag moves too)"
        Icon={HandIcon}
        pressed={drag === "pan"}
        onClick={() => onDrag(drag === "pan" ? "zoom" : "pan")}
      />
    </>
  );
}

interface ChartButtonProps {
  label: string;
  Icon: ComponentType;
  pressed?: boolean;
  onClick: () => void;
}

function ChartButton({ label, Icon, pressed, onClick }: ChartButtonProps) {
  return (
    <Tooltip title={label}>
      <ButtonBase
        aria-label={label}
        aria-pressed={pressed}
        onClick={onClick}
        sx={{
          p: 0.5,
          ml: 0.5,
          borderRadius: 1,
          border: 1,
          borderColor: pressed === true ? "primary.main" : "divider",
          color: pressed === true ? "primary.main" : "text.secondary",
          bgcolor: "background.paper",
          "&:hover": { color: "text.primary" },
        }}
      >
        <Icon />
      </ButtonBase>
    </Tooltip>
  );
}
