/** What a whole run looks like in the files that are made of it, beside what the API says. */

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ConcurrencyColumns } from "../src/api/types";
import { assignMarks, pages, rgb, tint } from "../src/charts/palette";
import { layoutOf, scale } from "../src/charts/picture";
import { axisMax } from "../src/charts/timeline";
import { complaints, launch, saved } from "./browser";
import { serveRun, type Served } from "./tasktide";
import { knownRuns } from "./testfiles";

const subject = "the files of a whole run";

describe.each(knownRuns(subject))(
  `${subject}: $name`,
  ({ name, path: trace, peak, burst, there }) => {
    if (!there) {
      it.skip("needs ../shared/data");
      return;
    }
    let served: Served;
    let browser: Browser;
    let page: Page;
    let heard: string[];
    let answer: ConcurrencyColumns;

    beforeAll(async () => {
      [served, browser] = await Promise.all([serveRun(trace, name), launch()]);
      page = await browser.newPage({
        viewport: { width: 2560, height: 1440 },
        colorScheme: "light",
      });
      heard = complaints(page);
      const path = `/api/v2/workflow/${served.workflowId}/task_concurrency`;
      const query = "time_range=all&granularity=auto&stat=mean&format=columns";
      answer = (await (await fetch(`${served.url}${path}?${query}`)).json()) as ConcurrencyColumns;
      await page.goto(`${served.url}/workflows/${served.workflowId}?range=all`);
      await page.locator(".js-plotly-plot path.js-line").first().waitFor();
    });

    afterAll(async () => {
      await browser.close();
      await served.close();
      expect(heard).toEqual([]);
    });

    /** By column, without what is commented. */
    async function table(item: string): Promise<Map<string, string[]>> {
      const [header, ...rows] = (await saved(page, "CSV", item))
        .toString()
        .trimEnd()
        .split("\r\n")
        .filter((row) => !/^"?#/.test(row))
        .map((row) => row.split(","));
      return new Map(header.map((name, i) => [name, rows.map((row) => row[i])]));
    }

    it.each([
      ["What is on screen", "total_mean"],
      ["Every template, from the server", "total"],
    ])("has every number of the API in the CSV: %s", async (item, mean) => {
      const { bucket, series, total } = answer;
      const first = Date.parse(bucket.first);
      const columns = await table(item);
      expect(columns.get("bucket_start")?.map(Date.parse)).toEqual(
        total.values.map((_, i) => first + i * bucket.seconds * 1000),
      );
      for (const { task_template_name: name, values } of series) {
        expect(columns.get(name)?.map(Number), name).toEqual(values);
      }
      expect(columns.get(mean)?.map(Number)).toEqual(total.values);
      expect(columns.get("total_peak")?.map(Number)).toEqual(total.peaks);
      expect(Math.max(...total.peaks)).toBe(peak);
    });

    it("has each template as high in the PNG as the API says, in every bucket", async () => {
      const box = await page.getByTestId("timeline").boundingBox();
      if (box === null) throw new Error("there is no chart");
      const marks = assignMarks(
        answer.series.map((series) => series.task_template_name),
        "light",
      );
      const legend = [...marks].map(([label, mark]) => ({ label, mark }));
      const { plot } = layoutOf({ ...box, notes: ["", "", ""], legend });
      const { count } = answer.bucket;
      const colours = [...new Set([...marks.values()].map((mark) => mark.colour))];
      const heights = await heightsIn(await saved(page, "PNG", "PNG, at twice the size"), {
        // The middle of each bucket: at its sides the lines go up and down, so it needs a wide screen.
        columns: answer.total.values.map((_, i) =>
          Math.floor(scale * (plot.x + ((i + 0.5) / count) * plot.width)),
        ),
        top: scale * plot.y,
        bottom: scale * (plot.y + plot.height),
        colours: colours.map((colour) => [rgb(colour), rgb(tint(colour, pages.light))]),
      });
      const perTask = (scale * plot.height) / axisMax(answer.total.peak);
      const { peaks } = answer.total;
      // How much higher a steep line is one pixel column further on, in tasks.
      const steep = (i: number) =>
        (Math.max(...[i - 1, i + 1].map((j) => Math.abs((peaks[j] ?? peaks[i]) - peaks[i]))) *
          count) /
        (scale * plot.width);
      for (const [group, colour] of colours.entries()) {
        const bands = answer.series.filter(
          (series) => marks.get(series.task_template_name)?.colour === colour,
        );
        for (let i = 0; i < count; i++) {
          const tasks = bands.reduce((sum, band) => sum + band.values[i], 0);
          // A separator and a rounded edge for each, and a line of the peak and one of the grid over them, of which
          // the first covers more of a column where it is steep.
          const tolerance =
            bands.length * (scale + 1) + 4 * scale + (burst ? steep(i) * perTask : 0);
          expect(
            Math.abs(heights[group][i] - tasks * perTask),
            `${bands.map((band) => band.task_template_name).join(" and ")} in bucket ${i}`,
          ).toBeLessThanOrEqual(tolerance);
        }
      }
    });

    interface Columns {
      columns: number[];
      top: number;
      bottom: number;
      colours: (readonly [number, number, number])[][];
    }

    /** How many pixels of each colour, or of its patterns, there are in each column. */
    async function heightsIn(png: Buffer, within: Columns): Promise<number[][]> {
      return page.evaluate(
        async ({ bytes, within: { columns, top, bottom, colours } }) => {
          const image = await createImageBitmap(
            new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], { type: "image/png" }),
          );
          const canvas = new OffscreenCanvas(image.width, image.height);
          const context = canvas.getContext("2d");
          if (context === null) throw new Error("there is no canvas");
          context.drawImage(image, 0, 0);
          const { data } = context.getImageData(0, 0, image.width, image.height);
          const near = (at: number, [r, g, b]: readonly [number, number, number]) =>
            Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) <= 3;
          return colours.map((alike) =>
            columns.map((x) => {
              let found = 0;
              for (let y = top; y < bottom; y++) {
                const at = 4 * (y * image.width + x);
                if (alike.some((colour) => near(at, colour))) found++;
              }
              return found;
            }),
          );
        },
        { bytes: png.toString("base64"), within },
      );
    }
  },
);
