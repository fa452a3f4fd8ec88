import Box from "@mui/material/Box";
import {
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
  type Ref,
} from "react";
import { config, figureOf, margins, plotBox, relayoutRange } from "../charts/figure";
import { paint } from "../charts/paint";
import { pages, type Mark, type Mode } from "../charts/palette";
import { Plot, zoomTo } from "../charts/plotly";
import { bucketAt, bucketStart, moveCursor, moved, sameRange, zoomed } from "../charts/timeline";
import type { Buckets, Range } from "../charts/timeline";
import { VisuallyHidden } from "../components/VisuallyHidden";
import { useRenderTime } from "../telemetry/useRenderTime";
import { actionOf } from "./chartKeys";
import { ChartButtons } from "./ChartButtons";
import { useGestures } from "./gestures";
import { HoverTooltip, inWords } from "./HoverTooltip";
import { colouredLines } from "./marks";
import type { Chart } from "./model";
import { usePointer } from "./usePointer";
import { useSize } from "./useSize";

export interface ChartHandle {
  /** The element that Plotly draws into; null before its first drawing. */
  graph: HTMLElement | null;
  /** What is on screen now. */
  range: Range;
}

export interface TimelineChartProps {
  ref: Ref<ChartHandle>;
  chart: Chart;
  /** What is drawn where the chart does not reach, while a part of the window is on screen. */
  backdrop: Chart | null;
  compared: { buckets: Buckets; values: ArrayLike<number> } | null;
  marks: ReadonlyMap<string, Mark>;
  /** All that there is to see, and what of it is on screen. */
  window: Range;
  range: Range;
  /** Another range is on screen, by hand; null for all of the window. */
  onRange: (range: Range | null) => void;
  /** An instant was chosen, in milliseconds. */
  onInstant: (instant: number) => void;
  mode: Mode;
  /** The template that stands out, if one does. */
  highlight: string | null;
  /** A zoom ends when this changes. */
  revision: string;
  /** When what is drawn came, in milliseconds since the epoch; null where it was there already. */
  receivedAt: number | null;
  name: string;
  description: string;
  /** Above the chart, beside its buttons. */
  caption: ReactNode;
}

/** How long after the last step of a zoom or pan it is taken for its end, in milliseconds. */
const settleMs = 250;

export default function TimelineChart({
  ref,
  chart,
  backdrop,
  compared,
  marks,
  window: whole,
  range: told,
  onRange,
  onInstant,
  mode,
  highlight,
  revision,
  receivedAt,
  name,
  description,
  caption,
}: TimelineChartProps) {
  const { buckets, totals, max } = chart;
  const [frame, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const graph = useRef<HTMLElement | null>(null);
  /** Where a zoom or pan by hand has come to, ahead of the range that is told. */
  const moving = useRef<Range | null>(null);
  const settling = useRef<ReturnType<typeof setTimeout>>(undefined);
  /** Whether the whole window was asked for, and Plotly has yet to tell of it. */
  const toWhole = useRef(false);
  const [drag, setDrag] = useState<"zoom" | "pan">("zoom");
  const [announcement, setAnnouncement] = useState("");

  const plotWidth = size.width - margins.left - margins.right;
  const plotHeight = size.height - margins.top - margins.bottom;
  const ready = plotWidth > 0 && plotHeight > 0;
  const shownRange = (): Range => moving.current ?? told;

  const { cursor, hover, pointed, point, instantAt, onPointerMove } = usePointer(
    frame,
    buckets,
    { width: plotWidth, height: plotHeight },
    shownRange,
  );

  useImperativeHandle(ref, () => ({
    get graph() {
      return graph.current;
    },
    get range() {
      return shownRange();
    },
  }));

  const [from, to] = told;
  useLayoutEffect(() => {
    // What was told last may be told back when the hand or the key has moved on already.
    if (settling.current === undefined) moving.current = null;
  }, [from, to, revision]);

  const figure = useMemo(() => {
    const drawn = figureOf({
      buckets,
      lines: colouredLines(chart.lines, marks),
      limits: chart.limits,
      compared,
      range: [from, to],
      max,
      width: size.width,
      height: size.height,
      mode,
      revision,
    });
    return { ...drawn, layout: { ...drawn.layout, dragmode: drag } };
  }, [chart, buckets, marks, compared, from, to, max, size, mode, revision, drag]);
  const onDrawn = useRenderTime(receivedAt, figure);

  function draw() {
    if (!ready || canvas.current === null) return;
    const scale = window.devicePixelRatio;
    paint(canvas.current, {
      layers: backdrop === null ? [chart] : [backdrop, chart],
      marks,
      highlight,
      range: shownRange(),
      max,
      width: Math.round(plotWidth * scale),
      height: Math.round(plotHeight * scale),
      scale,
      mode,
    });
  }

  useLayoutEffect(draw);
  // What is told late would be told of another page.
  useEffect(() => () => clearTimeout(settling.current), []);

  /** Plotly tells of every step of a zoom or pan, and of its end. */
  function follow(change: Record<string, unknown>) {
    const range = relayoutRange(change);
    if (range === null) return;
    const next = range === "whole" ? whole : range;
    // Which range is the whole one may be another by the time that this is told.
    const all = toWhole.current || sameRange(next, whole);
    toWhole.current = false;
    moving.current = next;
    point(null);
    draw();
    clearTimeout(settling.current);
    settling.current = setTimeout(() => {
      settling.current = undefined;
      onRange(all ? null : [Math.round(next[0]), Math.round(next[1])]);
    }, settleMs);
  }

  function show(range: Range) {
    // Before Plotly has drawn, there is nothing to move: the first picture has the range.
    if (graph.current === null) onRange(sameRange(range, whole) ? null : range);
    else void zoomTo(graph.current, range);
  }

  /** Makes the range so many times as long about an instant; 0 shows the whole window. */
  function zoom(factor: number, about?: number) {
    toWhole.current = factor === 0 && graph.current !== null;
    show(factor === 0 ? whole : zoomed(shownRange(), factor, about));
  }

  function pan(share: number) {
    show(moved(shownRange(), share));
  }

  useGestures(frame, {
    onClick: (x) => {
      const instant = instantAt(x);
      if (instant !== null && bucketAt(buckets, instant) !== null) onInstant(instant);
    },
    onPinch: (factor, x) => zoom(1 / factor, instantAt(x) ?? undefined),
  });

  function onKeyDown(event: KeyboardEvent) {
    const action = actionOf(event);
    if (action === null) return;
    const [start, end] = shownRange();
    const first = bucketAt(buckets, Math.max(start, buckets.first)) ?? 0;
    const last = bucketAt(buckets, Math.min(end, buckets.end) - 1) ?? buckets.count - 1;
    const at = pointed.current;
    if ("zoom" in action) {
      zoom(action.zoom, at === null ? undefined : middleOf(at));
    } else if ("pan" in action) {
      pan(action.pan);
    } else if (action.key === "Enter") {
      if (at === null) return;
      onInstant(bucketStart(buckets, at));
    } else {
      const next = moveCursor(action.key, at, first, last);
      if (next === undefined || buckets.count === 0) return;
      point(next);
      setAnnouncement(next === null ? "" : inWords(buckets, totals, next));
    }
    event.preventDefault();
  }

  const middleOf = (bucket: number) => bucketStart(buckets, bucket) + buckets.width / 2;

  return (
    <Box sx={{ display: "flex", flexDirection: "column", height: "100%", minHeight: 0 }}>
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", minHeight: 36, pl: 1 }}>
        <Box sx={{ flex: "1 1 260px" }}>{caption}</Box>
        <ChartButtons drag={drag} onDrag={setDrag} onZoom={zoom} onPan={pan} />
      </Box>
      <Box
        ref={frame}
        data-testid="timeline"
        onPointerMove={onPointerMove}
        onPointerLeave={() => point(null)}
        sx={{
          position: "relative",
          flex: 1,
          minHeight: { xs: 300, md: 0 },
          overflow: "hidden",
          touchAction: "pan-y",
        }}
      >
        <canvas ref={canvas} aria-hidden="true" style={plotBox(plotWidth, plotHeight)} />
        <Box
          ref={cursor}
          style={{ ...plotBox(plotWidth, plotHeight), width: undefined }}
          sx={{
            visibility: "hidden",
            bgcolor: "text.primary",
            opacity: 0.28,
            pointerEvents: "none",
          }}
        />
        <Box
          id="chart"
          tabIndex={0}
          role="application"
          aria-roledescription="chart"
          aria-label={name}
          aria-description={description}
          onKeyDown={onKeyDown}
          onBlur={() => point(null)}
          sx={{
            position: "absolute",
            inset: 0,
            borderRadius: 1,
            "&:focus-visible": { outline: 2, outlineColor: "primary.main", outlineOffset: -2 },
          }}
        >
          {ready && (
            <Plot
              data={figure.data}
              layout={figure.layout}
              config={config}
              onInitialized={(_, div) => (graph.current = div)}
              onRelayout={follow}
              onRelayouting={follow}
              onAfterPlot={onDrawn}
            />
          )}
        </Box>
        <HoverTooltip
          ref={hover}
          buckets={buckets}
          totals={totals}
          rows={chart.rows}
          marks={marks}
          page={pages[mode]}
        />
        <div role="status">
          <VisuallyHidden>{announcement}</VisuallyHidden>
        </div>
      </Box>
    </Box>
  );
}
