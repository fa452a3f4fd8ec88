/** The peer: Plotly as it comes, with its defaults, on the same numbers. */

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { ConcurrencyColumns } from "../src/api/types";

declare const Plotly: {
  newPlot: (id: string, data: object[], layout: object, config: object) => Promise<unknown>;
};

const plotly = readFileSync(
  join(import.meta.dirname, "../node_modules/plotly.js/dist/plotly.min.js"),
);

/** Runs in the page. Numbers are drawn sooner than dates in words would be. */
async function draw() {
  const response = await fetch("task_concurrency");
  const answer = (await response.json()) as ConcurrencyColumns;
  const first = Date.parse(answer.bucket.first);
  const x = Array.from(
    { length: answer.bucket.count },
    (_, i) => first + i * answer.bucket.seconds * 1000,
  );
  await Plotly.newPlot(
    "chart",
    answer.series.map(({ task_template_name: name, values }) => ({
      name,
      x,
      y: values,
      type: "scatter",
      stackgroup: "tasks",
      line: { shape: "hv" },
    })),
    { hovermode: "x unified", xaxis: { type: "date" } },
    // Off by default, and then there would be no wheel to measure.
    { scrollZoom: true },
  );
}

interface Size {
  width: number;
  height: number;
}

/** Serves a chart of each answer, by its name, on loopback. */
export async function serveUntuned(answers: ReadonlyMap<string, string>, { width, height }: Size) {
  const page = `<!doctype html><meta charset="utf-8"><title>Untuned</title>
<div id="chart" style="width:${width}px;height:${height}px"></div>
<script src="/plotly.js"></script><script>(${draw.toString()})()</script>`;
  const server = createServer(({ url = "" }, response) => {
    const [, name, file] = decodeURIComponent(url).split("/");
    const body = name === "plotly.js" ? plotly : file === "" ? page : answers.get(name);
    const type =
      name === "plotly.js" ? "text/javascript" : file === "" ? "text/html" : "application/json";
    response.writeHead(body === undefined ? 404 : 200, { "Content-Type": type });
    response.end(body);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: (name: string) =>
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/${encodeURIComponent(name)}/`,
    close: () => server.close(),
  };
}
