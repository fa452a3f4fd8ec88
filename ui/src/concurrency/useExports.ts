import { useState, type RefObject } from "react";
import type { ConcurrencyColumns, Workflow } from "../api/types";
import type { Mark, Mode } from "../charts/palette";
import { exported } from "../telemetry/telemetry";
import type { Chart, LegendEntry } from "./model";
import type { ChartHandle } from "./TimelineChart";
import type { View } from "./view";

interface Input {
  workflow: Workflow;
  view: View;
  shown: ConcurrencyColumns | null;
  chart: Chart | null;
  legend: readonly LegendEntry[];
  marks: ReadonlyMap<string, Mark>;
  mode: Mode;
  handle: RefObject<ChartHandle | null>;
}

type Kind = "png" | "svg" | "csv" | "server";

/** The ways to keep what is on screen, and what went wrong with the last. */
export function useExports({ marks, mode, handle, ...what }: Input) {
  const [error, setError] = useState<unknown>(null);
  const { shown, chart } = what;
  function keep(kind: Kind) {
    if (shown === null || chart === null) return;
    const { first, count, width } = chart.buckets;
    const on = handle.current;
    const picture = {
      ...what,
      shown,
      chart,
      marks,
      mode,
      range: on?.range ?? ([first, first + count * width] as const),
    };
    setError(null);
    void import("./exports")
      .then(async (to) => {
        if (kind === "csv") to.exportCsv(picture);
        else if (kind === "server") to.exportAll(picture);
        else if (on?.graph == null) throw new Error("The chart is not drawn yet.");
        else await to.exportPicture(kind, picture, on.graph);
      })
      .then(() => exported(kind === "server" ? "csv" : kind))
      .catch(setError);
  }
  const action = (label: string, kind: Kind) => ({
    label,
    onClick: () => {
      keep(kind);
    },
  });
  return {
    error,
    actions: {
      picture: [action("PNG, at twice the size", "png"), action("SVG", "svg")],
      table: [
        action("What is on screen", "csv"),
        action("Every template, from the server", "server"),
      ],
    },
  };
}
