/** The built binary: a run is loaded into a database of its own, and served. */

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { start } from "./program";

// vitest's worker must answer while a program runs.
const run = promisify(execFile);
const bin = resolve(import.meta.dirname, "../../bin");
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
  const folder = mkdtempSync(join(tmpdir(), "tasktide-e2e-"));
  const database = join(folder, "runs.db");
  const workflowId = await store(database, "import", "nextflow", file, "--workflow", workflowName);
  return { ...(await serve(folder, database, ...flags)), workflowId };
}

/** Runs a command that stores a workflow in an SQLite file, and returns the workflow's id. */
export async function store(database: string, ...command: string[]): Promise<number> {
  const { stdout } = await run(built(), [...command, "--database-url", `sqlite://${database}`]);
  const id = /\d+/.exec(stdout)?.[0];
  if (id === undefined) throw new Error(`${command[0]} printed no id: ${stdout}`);
  return Number(id);
}

/** Serves an SQLite file, and removes a folder when it is closed. */
export function serve(folder: string, database: string, ...flags: string[]) {
  return started(folder, "serve", "--database-url", `sqlite://${database}`, ...flags);
}

/** The demo, whose database is its own. */
export function serveDemo(): Promise<Omit<Served, "workflowId">> {
  return started(mkdtempSync(join(tmpdir(), "tasktide-e2e-")), "demo");
}

/** The path of a program that was built before the tests began, by a target of the Makefile. */
export function built(name = "tasktide", target = "build"): string {
  const path = join(bin, name);
  if (!existsSync(path)) throw new Error(`There is no ${path}: run "make ${target}".`);
  return path;
}

/** A command that serves until it is closed, and the folder that goes with it. */
async function started(folder: string, command: string, ...flags: string[]) {
  const server = await start(
    built(),
    [command, "--listen", "127.0.0.1:0", ...flags],
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
