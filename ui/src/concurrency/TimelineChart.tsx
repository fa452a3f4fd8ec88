import Box from "@mui/material/Box";
import {
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  type Ref,
} from "react";
import { config, figureOf, margins, relayoutRange } from "../charts/figure";
import { inks, mix, pages, type Mark, type Mode } from "../charts/palette";
import { Plot, zoomTo } from "../charts/plotly";
import { rasterize } from "../charts/raster";
import { bucketAt, bucketStart, moveCursor, type Range } from "../charts/timeline";
import { VisuallyHidden } from "../components/VisuallyHidden";
import { formatNumber } from "../format";
import { HoverTooltip, spanText, type HoverHandle } from "./HoverTooltip";
import type { Chart } from "./model";
import { useSize } from "./useSize";
import { ZoomButtons } from "./ZoomButtons";

export interface ChartHandle {
  /** The element that Plotly draws into; null before its first drawing. */
  graph: HTMLElement | null;
  /** What is on screen now. */
  range: Range;
}

export interface TimelineChartProps {
  ref: Ref<ChartHandle>;
  chart: Chart;
  marks: ReadonlyMap<string, Mark>;
  /** The total's means and peaks; null while they are not known. */
  means: readonly number[] | null;
  peaks: readonly number[] | null;
  window: Range;
  mode: Mode;
  /** The template that stands out, if one does. */
  highlight: string | null;
  /** A zoom ends when this changes. */
  revision: string;
  name: string;
  description: string;
  /** Above the chart, beside its buttons. */
  caption: ReactNode;
}

const fade = 0.72;

export default function TimelineChart(props: TimelineChartProps) {
  const { chart, marks, means, peaks, window: whole, mode, highlight, revision } = props;
  const { buckets, bands, sums, max } = chart;
  const [frame, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const cursor = useRef<HTMLDivElement>(null);
  const hover = useRef<HoverHandle>(null);
  const graph = useRef<HTMLElement | null>(null);
  const zoomed = useRef<{ revision: string; range: Range } | null>(null);
  const pointed = useRef<number | null>(null);
  const [announcement, setAnnouncement] = useState("");

  const plotWidth = size.width - margins.left - margins.right;
  const plotHeight = size.height - margins.top - margins.bottom;
  const ready = plotWidth > 0 && plotHeight > 0;

  const shownRange = (): Range =>
    zoomed.current?.revision === revision ? zoomed.current.range : whole;

  useImperativeHandle(props.ref, () => ({
    get graph() {
      return graph.current;
    },
    get range() {
      return shownRange();
    },
  }));

  const figure = useMemo(
    () =>
      figureOf({
        buckets,
        peaks,
        window: [whole[0], whole[1]],
        max,
        width: size.width,
        height: size.height,
        mode,
        revision,
      }),
    [buckets, peaks, whole[0], whole[1], max, size.width, size.height, mode, revision], // eslint-disable-line react-hooks/exhaustive-deps -- by its ends: the array is new each time
  );

  const painted = useMemo(
    () =>
      bands.map((band) => {
        const mark = marks.get(band.name) ?? { colour: inks[mode].line, pattern: "solid" };
        const fades = highlight !== null && highlight !== band.name;
        return {
          values: band.values,
          mark: fades ? { ...mark, colour: mix(mark.colour, pages[mode], fade) } : mark,
        };
      }),
    [bands, marks, mode, highlight],
  );

  function draw() {
    const context = canvas.current?.getContext("2d");
    if (!ready || !canvas.current || !context) return;
    const scale = window.devicePixelRatio;
    const width = Math.round(plotWidth * scale);
    const height = Math.round(plotHeight * scale);
    const pixels = rasterize({
      buckets,
      bands: painted,
      sums,
      range: shownRange(),
      max,
      width,
      height,
      scale,
      page: pages[mode],
    });
    if (canvas.current.width !== width) canvas.current.width = width;
    if (canvas.current.height !== height) canvas.current.height = height;
    context.putImageData(new ImageData(pixels, width, height), 0, 0);
  }

  useLayoutEffect(draw);

  /** Plotly tells of every step of a zoom or pan, and of its end. */
  function follow(change: Record<string, unknown>) {
    const range = relayoutRange(change);
    if (range === null) return;
    zoomed.current = range === "whole" ? null : { revision, range };
    point(null);
    draw();
  }

  /** Marks a bucket and shows its numbers, at the pointer or, from the keyboard, at the bucket. */
  function point(bucket: number | null, x?: number, y?: number) {
    pointed.current = bucket;
    const line = cursor.current;
    if (line === null || !frame.current) return;
    if (bucket === null) {
      line.style.visibility = "hidden";
      hover.current?.hide();
      return;
    }
    const [from, to] = shownRange();
    const toPixel = (ms: number) =>
      Math.max(0, Math.min(plotWidth, ((ms - from) / (to - from)) * plotWidth));
    const left = toPixel(bucketStart(buckets, bucket));
    const right = toPixel(Math.min(bucketStart(buckets, bucket + 1), buckets.end));
    line.style.transform = `translateX(${left}px)`;
    line.style.width = `${Math.max(1, right - left)}px`;
    line.style.visibility = "visible";
    const box = frame.current.getBoundingClientRect();
    hover.current?.show(
      bucket,
      x ?? box.left + margins.left + right,
      y ?? box.top + margins.top + plotHeight / 2,
    );
  }

  function onPointerMove(event: PointerEvent) {
    if (!frame.current) return;
    const box = frame.current.getBoundingClientRect();
    const x = event.clientX - box.left - margins.left;
    const y = event.clientY - box.top - margins.top;
    const inside = x >= 0 && x < plotWidth && y >= 0 && y < plotHeight;
    const [from, to] = shownRange();
    const instant = from + (x / plotWidth) * (to - from);
    point(inside ? bucketAt(buckets, instant) : null, event.clientX, event.clientY);
  }

  /** Makes the range so many times as long; 0 shows the whole window. */
  function zoom(factor: number) {
    if (graph.current === null) return;
    const [from, to] = shownRange();
    const centre = (from + to) / 2;
    const half = Math.max(buckets.width, ((to - from) / 2) * factor);
    void zoomTo(graph.current, factor === 0 ? whole : [centre - half, centre + half]);
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [from, to] = shownRange();
    const first = bucketAt(buckets, Math.max(from, buckets.first)) ?? 0;
    const last = bucketAt(buckets, Math.min(to, buckets.end) - 1) ?? buckets.count - 1;
    const bucket = moveCursor(event.key, pointed.current, first, last);
    const zooms: Record<string, number> = { "+": 0.5, "=": 0.5, "-": 2, "0": 0 };
    if (event.key in zooms) {
      zoom(zooms[event.key]);
    } else if (bucket !== undefined && buckets.count > 0) {
      point(bucket);
      setAnnouncement(bucket === null ? "" : inWords(bucket));
    } else {
      return;
    }
    event.preventDefault();
  }

  function inWords(bucket: number): string {
    const peak = peaks === null ? "" : `, at most ${formatNumber(peaks[bucket])} at once`;
    return `${spanText(buckets, bucket)}: ${formatNumber(round((means ?? sums)[bucket]))} on average${peak}`;
  }

  return (
    <Box sx={{ display: "flex", flexDirection: "column", height: "100%", minHeight: 0 }}>
      <Box sx={{ display: "flex", alignItems: "center", minHeight: 36, pl: 1 }}>
        <Box sx={{ flex: 1, minWidth: 0 }}>{props.caption}</Box>
        <ZoomButtons onZoom={zoom} />
      </Box>
      <Box
        ref={frame}
        data-testid="timeline"
        onPointerMove={onPointerMove}
        onPointerLeave={() => point(null)}
        sx={{ position: "relative", flex: 1, minHeight: 0, overflow: "hidden" }}
      >
        <canvas
          ref={canvas}
          aria-hidden="true"
          style={{
            position: "absolute",
            left: margins.left,
            top: margins.top,
            width: Math.max(0, plotWidth),
            height: Math.max(0, plotHeight),
          }}
        />
        <Box
          ref={cursor}
          sx={{
            position: "absolute",
            left: margins.left,
            top: margins.top,
            height: Math.max(0, plotHeight),
            visibility: "hidden",
            bgcolor: "text.primary",
            opacity: 0.28,
            pointerEvents: "none",
          }}
        />
        <Box
          tabIndex={0}
          role="application"
          aria-roledescription="chart"
          aria-label={props.name}
          aria-description={props.description}
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
            />
          )}
        </Box>
        <HoverTooltip
          ref={hover}
          buckets={buckets}
          bands={bands}
          marks={marks}
          page={pages[mode]}
          means={means ?? sums}
          peaks={peaks}
        />
        <div role="status">
          <VisuallyHidden>{announcement}</VisuallyHidden>
        </div>
      </Box>
    </Box>
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
