import Box from "@mui/material/Box";
import { useImperativeHandle, useLayoutEffect, useRef, type Ref } from "react";
import type { Mark } from "../charts/palette";
import { bucketStart, type Band, type Buckets } from "../charts/timeline";
import { formatNumber, formatSpan } from "../format";
import { ShortName } from "../components/ShortName";
import { Swatch } from "./Swatch";
import { tooltipRows } from "./tooltipRows";

export interface HoverHandle {
  /** Shows a bucket's numbers beside a point of the window. */
  show: (bucket: number, x: number, y: number) => void;
  hide: () => void;
}

interface Props {
  ref: Ref<HoverHandle>;
  buckets: Buckets;
  /** What is told of all together; what is not a number at a bucket is not told there. */
  totals: readonly Band[];
  /** The templates from the top of the stack to its bottom. */
  rows: readonly Band[];
  marks: ReadonlyMap<string, Mark>;
  page: string;
}

/** More rows than this go into another column, or the tooltip would not fit on the screen. */
const rowsPerColumn = 16;
const nameWidth = 220;
/** A row with the longest name and what is around it. */
const columnWidth = nameWidth + 100;
const gap = 14;
const edge = 8;

/**
 * One element that is moved and refilled by hand: it follows the pointer at the screen's rate,
 * which rendering it anew for every move would not.
 */
export function HoverTooltip({ ref, buckets, totals, rows, marks, page }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const rest = useRef<HTMLDivElement>(null);
  const at = useRef<{ bucket: number; x: number; y: number } | null>(null);

  function fill() {
    const element = box.current;
    if (element === null) return;
    if (at.current === null || at.current.bucket >= buckets.count) {
      element.style.visibility = "hidden";
      return;
    }
    const { bucket, x, y } = at.current;
    const bands = [...totals, ...rows];
    const { told, others } = tooltipRows(rows, bucket, roomForRows());
    const texts = [spanText(buckets, bucket), ...bands.map((band) => valueText(band, bucket))];
    element.querySelectorAll<HTMLElement>("[data-value]").forEach((node, i) => {
      if (node.textContent !== texts[i]) node.textContent = texts[i];
      const row = i - 1 - totals.length;
      if (row < 0) return;
      node.parentElement?.classList.toggle("zero", rows[row].values[bucket] === 0);
      node.parentElement?.classList.toggle("untold", !told[row]);
    });
    if (rest.current !== null) rest.current.textContent = others;
    place(element, x, y);
  }

  useImperativeHandle(ref, () => ({
    show: (bucket, x, y) => {
      at.current = { bucket, x, y };
      fill();
    },
    hide: () => {
      at.current = null;
      fill();
    },
  }));

  // New data under a pointer that stands still.
  useLayoutEffect(fill);

  return (
    <Box
      ref={box}
      data-testid="tooltip"
      role="tooltip"
      sx={{
        position: "fixed",
        left: 0,
        top: 0,
        zIndex: "tooltip",
        visibility: "hidden",
        pointerEvents: "none",
        bgcolor: "background.paper",
        color: "text.primary",
        border: 1,
        borderColor: "divider",
        borderRadius: 1.5,
        boxShadow: 6,
        px: 1.5,
        py: 1,
        fontSize: "0.78rem",
        fontVariantNumeric: "tabular-nums",
        "& .zero": { color: "text.secondary" },
        "& .untold": { display: "none" },
        willChange: "transform",
      }}
    >
      <Box data-value sx={{ fontWeight: 650, mb: 0.5, whiteSpace: "nowrap" }} />
      <Box sx={{ maxWidth: rows.length > rowsPerColumn ? 240 : "none" }}>
        {totals.map(({ name }) => (
          <Row key={name} name={name} strong />
        ))}
      </Box>
      <Box
        sx={{
          display: "grid",
          gridAutoFlow: "column",
          gridTemplateRows: `repeat(${Math.min(rowsPerColumn, Math.max(1, rows.length))}, auto)`,
          columnGap: 2.5,
          borderTop: 1,
          borderColor: "divider",
          mt: 0.5,
          pt: 0.5,
        }}
      >
        {rows.map((band) => (
          <Row key={band.name} name={band.name} mark={marks.get(band.name)} page={page} />
        ))}
      </Box>
      <Box ref={rest} sx={{ color: "text.secondary", "&:not(:empty)": { mt: 0.5 } }} />
    </Box>
  );
}

interface RowProps {
  name: string;
  strong?: boolean;
  mark?: Mark | undefined;
  page?: string;
}

function Row({ name, strong = false, mark, page = "" }: RowProps) {
  return (
    <Box
      data-row={name}
      sx={{
        display: "flex",
        alignItems: "center",
        gap: 0.75,
        lineHeight: 1.5,
        fontWeight: strong ? 650 : 400,
      }}
    >
      {mark !== undefined && <Swatch mark={mark} page={page} size={10} />}
      <Box sx={{ flex: 1, minWidth: 0, maxWidth: nameWidth }}>
        <ShortName>{name}</ShortName>
      </Box>
      <Box component="span" data-value sx={{ minWidth: 44, textAlign: "right" }} />
    </Box>
  );
}

/** How many rows fit beside one another and below. */
function roomForRows(): number {
  const columns = Math.floor((document.documentElement.clientWidth - 4 * edge) / columnWidth);
  return rowsPerColumn * Math.max(1, columns);
}

/** The number, and the limit on it where there is one. */
function valueText({ values, limit }: Band, bucket: number): string {
  if (Number.isNaN(values[bucket])) return "none";
  const most = limit?.[bucket] ?? NaN;
  return `${formatNumber(values[bucket])}${Number.isNaN(most) ? "" : ` / ${formatNumber(most)}`}`;
}

/** The bucket's span; the partial one ends at the instant that it has come to. */
export function spanText(buckets: Buckets, bucket: number): string {
  const from = bucketStart(buckets, bucket);
  const to = bucketStart(buckets, bucket + 1);
  return to > buckets.end ? `${formatSpan(from, buckets.end)}, so far` : formatSpan(from, to);
}

/** What is told of all together at a bucket, to be announced. */
export function inWords(buckets: Buckets, totals: readonly Band[], bucket: number): string {
  const words = totals.flatMap(({ name, values }) =>
    Number.isNaN(values[bucket]) ? [] : [`${name} ${formatNumber(values[bucket])}`],
  );
  return `${spanText(buckets, bucket)}: ${words.join("; ")}`;
}

/** Beside the pointer where there is room, and never beyond an edge of the window. */
function place(element: HTMLElement, x: number, y: number) {
  const { offsetWidth: width, offsetHeight: height } = element;
  const { clientWidth, clientHeight } = document.documentElement;
  const right = x + gap + width <= clientWidth - edge;
  const left = right ? x + gap : x - gap - width;
  const clampedLeft = Math.max(edge, Math.min(left, clientWidth - edge - width));
  const top = Math.max(edge, Math.min(y - height / 2, clientHeight - edge - height));
  element.style.transform = `translate(${Math.round(clampedLeft)}px, ${Math.round(top)}px)`;
  element.style.visibility = "visible";
}
