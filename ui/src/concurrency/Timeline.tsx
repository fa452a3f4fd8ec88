import Box from "@mui/material/Box";
import {
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
} from "react";
import { config, figureOf, margins, plotBox } from "../charts/figure";
import { paint } from "../charts/paint";
import { pages } from "../charts/palette";
import { Plot, zoomTo } from "../charts/plotly";
import { bucketAt, bucketStart, moveCursor, moved, zoomed } from "../charts/timeline";
import { VisuallyHidden } from "../components/VisuallyHidden";
import { useRenderTime } from "../telemetry/useRenderTime";
import { actionOf } from "./chartKeys";
import { ChartButtons } from "./ChartButtons";
import { HoverTooltip, inWords } from "./HoverTooltip";
import { colouredLines } from "./marks";
import type { TimelineChartProps } from "./TimelineChart";
import { SelectionBox, type SelectionHandle } from "./SelectionBox";
import { useGestures } from "./useGestures";
import { usePointer } from "./usePointer";
import { useShownRange } from "./useShownRange";
import { useSize } from "./useSize";

interface Props extends TimelineChartProps {
  /** Whether the range is being moved by hand. */
  onHeld: (held: boolean) => void;
}

export function Timeline({
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
  onHeld,
}: Props) {
  const { buckets, totals, max } = chart;
  const [frame, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const graph = useRef<HTMLElement | null>(null);
  const selection = useRef<SelectionHandle>(null);
  const [drag, setDrag] = useState<"zoom" | "pan">("zoom");
  const [announcement, setAnnouncement] = useState("");

  const plot = {
    width: size.width - margins.left - margins.right,
    height: size.height - margins.top - margins.bottom,
  };
  const ready = plot.width > 0 && plot.height > 0;
  const shown = useShownRange({ told, whole, revision, onRange, draw, onHeld });

  const { cursor, hover, pointed, point, instantAt, onPointerMove } = usePointer(
    frame,
    buckets,
    plot,
    shown.now,
  );

  useImperativeHandle(ref, () => ({
    get graph() {
      return graph.current;
    },
    get range() {
      return shown.now();
    },
  }));

  const [from, to] = told;
  const figure = useMemo(() => {
    return figureOf({
      buckets,
      lines: colouredLines(chart.lines, marks),
      limits: chart.limits,
      compared,
      range: [from, to],
      max,
      width: size.width,
      height: size.height,
      mode,
    });
  }, [chart, buckets, marks, compared, from, to, max, size, mode]);
  const onDrawn = useRenderTime(receivedAt, figure);

  function drawAreas() {
    if (!ready || canvas.current === null) return;
    const scale = window.devicePixelRatio;
    paint(canvas.current, {
      layers: backdrop === null ? [chart] : [backdrop, chart],
      marks,
      highlight,
      range: shown.now(),
      max,
      width: Math.round(plot.width * scale),
      height: Math.round(plot.height * scale),
      scale,
      mode,
    });
  }

  function drawAxes() {
    if (graph.current !== null) void zoomTo(graph.current, shown.now());
  }

  function draw() {
    drawAreas();
    drawAxes();
  }

  useLayoutEffect(drawAreas);

  /** Makes the range so many times as long about an instant; 0 shows the whole window. */
  function zoom(factor: number, about?: number) {
    point(null);
    if (factor === 0) shown.settle(whole, true);
    else shown.settle(zoomed(shown.now(), factor, about));
  }

  function pan(share: number) {
    point(null);
    shown.settle(moved(shown.now(), share));
  }

  useGestures(frame, revision, {
    scale: () => ({ range: shown.now(), width: plot.width }),
    plotHeight: plot.height,
    pans: drag === "pan",
    onHold: shown.hold,
    onRelease: shown.release,
    onSelect: (selected) => {
      point(null);
      selection.current?.show(selected);
    },
    onShow: (range) => {
      point(null);
      shown.show(range);
    },
    onCommit: shown.commit,
    onClick: (x) => {
      const instant = instantAt(x);
      if (instant !== null && bucketAt(buckets, instant) !== null) onInstant(instant);
    },
    onDoubleClick: () => shown.commit(whole, true),
    onWheel: (factor, x) => zoom(factor, instantAt(x) ?? undefined),
  });

  function onKeyDown(event: KeyboardEvent) {
    const action = actionOf(event);
    if (action === null) return;
    const [start, end] = shown.now();
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
        onPointerMove={(event) => {
          if (!shown.isHeld()) onPointerMove(event);
        }}
        onPointerLeave={() => point(null)}
        sx={{
          position: "relative",
          flex: 1,
          minHeight: { xs: 300, md: 0 },
          overflow: "hidden",
          // Fingers that move up and down scroll the page, which cancels their gesture.
          touchAction: "pan-y",
          userSelect: "none",
        }}
      >
        <canvas ref={canvas} aria-hidden="true" style={plotBox(plot.width, plot.height)} />
        <Box
          ref={cursor}
          style={{ ...plotBox(plot.width, plot.height), width: undefined }}
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
            cursor: drag === "pan" ? "grab" : "crosshair",
            "&:focus-visible": { outline: 2, outlineColor: "primary.main", outlineOffset: -2 },
          }}
        >
          {ready && (
            <Plot
              data={figure.data}
              layout={figure.layout}
              config={config}
              onInitialized={(_, div) => {
                graph.current = div;
                drawAxes();
              }}
              onUpdate={drawAxes}
              onAfterPlot={onDrawn}
            />
          )}
        </Box>
        <SelectionBox ref={selection} plot={plot} />
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
