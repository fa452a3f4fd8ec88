/**
 * The files that browser tests read: examples/, which is always there, and recordings in ../shared/data beside the
 * project, which a clone does not have. internal/testfiles does the same for Go.
 */

import { appendFileSync, existsSync } from "node:fs";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

export interface KnownRun {
  name: string;
  /** The path of an execution trace of Nextflow. */
  path: string;
  /** The most tasks that ran at one instant, as internal/testfiles knows it. */
  peak: number;
  /** Whether its peak is a burst much shorter than a bucket, beside which the line of the peak is steep. */
  burst: boolean;
  there: boolean;
}

/** What tests of a whole run read. A recording that is not there is listed as not judged, or is an error. */
export function knownRuns(test: string): KnownRun[] {
  return [
    {
      name: "nightly",
      path: resolve(root, "examples/nightly.tsv"),
      peak: 198,
      burst: true,
      there: true,
    },
    {
      name: "openproblems",
      ...shared("nextflow-openproblems-2022-05-13.tsv", test),
      peak: 147,
      burst: false,
    },
  ];
}

function shared(name: string, test: string) {
  const path = resolve(root, "../shared/data", name);
  const there = existsSync(path);
  if (!there && process.env.TASKTIDE_REQUIRE_SHARED) {
    throw new Error(`TASKTIDE_REQUIRE_SHARED is set, but there is no ${path}`);
  }
  // "make test" prints this list at its end.
  const list = process.env.TASKTIDE_NOT_JUDGED;
  if (!there && list) appendFileSync(list, `${test}: needs ../shared/data/${name}\n`);
  return { path, there };
}
