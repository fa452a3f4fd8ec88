/** The built binary: a run is loaded into a database of its own, and served. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { start } from "./program";

const binary = resolve(import.meta.dirname, "../../bin/tasktide");
const trace = resolve(import.meta.dirname, "trace.tsv");

export interface Served {
  url: string;
  workflowId: number;
  close: () => Promise<void>;
}

/** A small run that is told in trace.tsv. `flags` are more of those of "tasktide serve". */
export function importAndServe(workflowName: string, ...flags: string[]): Promise<Served> {
  return serveRun(trace, workflowName, ...flags);
}

/** `file` is an execution trace of Nextflow. */
export async function serveRun(
  file: string,
  workflowName: string,
  ...flags: string[]
): Promise<Served> {
  if (!existsSync(binary)) throw new Error(`There is no ${binary}: run "make build".`);
  const folder = mkdtempSync(join(tmpdir(), "tasktide-e2e-"));
  const database = ["--database-url", `sqlite://${join(folder, "runs.db")}`];
  const printed = execFileSync(
    binary,
    ["import", "nextflow", file, "--workflow", workflowName, ...database],
    { encoding: "utf8" },
  );
  const id = /\d+/.exec(printed)?.[0];
  if (id === undefined) throw new Error(`The import printed no id: ${printed}`);

  return {
    ...(await started(folder, "serve", ...database, ...flags)),
    workflowId: Number(id),
  };
}

/** The demo, whose database is its own. */
export function serveDemo(): Promise<Omit<Served, "workflowId">> {
  if (!existsSync(binary)) throw new Error(`There is no ${binary}: run "make build".`);
  return started(mkdtempSync(join(tmpdir(), "tasktide-e2e-")), "demo");
}

/** A command that serves until it is closed, and the folder that goes with it. */
async function started(folder: string, ...command: string[]) {
  const server = await start(
    binary,
    [...command, "--listen", "127.0.0.1:0"],
    /http:\/\/127\.0\.0\.1:\d+/,
    { TMPDIR: folder },
  );
  return {
    url: server.said,
    close: async () => {
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
