import Box from "@mui/material/Box";
import { alpha } from "@mui/material/styles";
import { useImperativeHandle, useRef, type Ref } from "react";
import { margins, plotBox } from "../charts/figure";
import { formatDuration, formatSpan } from "../format";
import type { Selection } from "./useGestures";
import type { Size } from "./useSize";

export interface SelectionHandle {
  /** Draws the box, or removes it where there is none. */
  show: (selection: Selection | null) => void;
}

interface Props {
  ref: Ref<SelectionHandle>;
  plot: Size;
}

/**
 * The part of the plot that a drag selects, with its start, end and length below it. It is moved without a render, and
 * covers nothing of the plot beside it.
 */
export function SelectionBox({ ref, plot }: Props) {
  const area = useRef<HTMLDivElement>(null);
  const label = useRef<HTMLDivElement>(null);

  useImperativeHandle(ref, () => ({
    show: (selection) => {
      if (area.current === null || label.current === null) return;
      const visibility = selection === null ? "hidden" : "visible";
      area.current.style.visibility = visibility;
      label.current.style.visibility = visibility;
      if (selection === null) return;
      const { from, to, range } = selection;
      area.current.style.transform = `translateX(${from}px)`;
      area.current.style.width = `${to - from}px`;
      const seconds = (range[1] - range[0]) / 1000;
      label.current.textContent = `${formatSpan(...range)} · ${formatDuration(seconds)}`;
      const widest = plot.width + margins.right - label.current.offsetWidth;
      const left = Math.max(
        -margins.left,
        Math.min(widest, (from + to - label.current.offsetWidth) / 2),
      );
      label.current.style.transform = `translateX(${left}px)`;
    },
  }));

  return (
    <>
      <Box
        ref={area}
        data-testid="selection"
        style={{ ...plotBox(plot.width, plot.height), width: undefined }}
        sx={{
          boxSizing: "border-box",
          visibility: "hidden",
          pointerEvents: "none",
          bgcolor: (theme) => alpha(theme.palette.primary.main, 0.22),
          borderLeft: 2,
          borderRight: 2,
          borderColor: "primary.main",
        }}
      />
      <Box
        ref={label}
        aria-hidden="true"
        sx={{
          position: "absolute",
          left: margins.left,
          bottom: 2,
          visibility: "hidden",
          pointerEvents: "none",
          px: 1,
          py: 0.25,
          borderRadius: 1,
          whiteSpace: "nowrap",
          fontSize: "0.78rem",
          fontVariantNumeric: "tabular-nums",
          bgcolor: "primary.main",
          color: "primary.contrastText",
        }}
      />
    </>
  );
}
