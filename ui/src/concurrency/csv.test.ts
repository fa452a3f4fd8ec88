import { describe, expect, it } from "vitest";
import { toCsv, type CsvInput } from "./csv";

const first = Date.UTC(2022, 4, 13, 3, 20);
const input: CsvInput = {
  workflow: { id: 7, name: "nightly" },
  status: "RUNNING",
  statistic: "time-weighted mean of the bucket",
  buckets: { first, width: 60_000, count: 3, end: first + 180_000 },
  rows: [0, 3],
  bands: [
    { name: "call", values: [0, 4, 3.25] },
    { name: "align", values: [1, 2.5, 0] },
  ],
  totals: [
    { name: "Total, mean", values: [1, 6.5, 3.25] },
    { name: "Total, peak", values: [1, 8, 5] },
    { name: "Limit", values: [NaN, 8, 8] },
  ],
  totalOf: "2 templates together",
  version: "195d",
  generatedAt: "2022-05-14T00:00:00Z",
};

describe("toCsv", () => {
  it("says what it is, then has a row a bucket and a column a template", () => {
    const lines = toCsv(input).split("\r\n");
    expect(lines.slice(0, 8)).toEqual([
      "# workflow: nightly (id 7)",
      '"# window: 2022-05-13T03:20:00.000Z to 2022-05-13T03:23:00.000Z, end not included"',
      '"# bucket: 60 s, each row at the start of its bucket; times are UTC"',
      "# statistic: time-weighted mean of the bucket",
      "# status: RUNNING",
      "# total: 2 templates together",
      "# version: 195d",
      "# generated: 2022-05-14T00:00:00Z",
    ]);
    expect(lines.slice(8)).toEqual([
      "bucket_start,call,align,total_mean,total_peak,limit",
      "2022-05-13T03:20:00.000Z,0,1,1,1,",
      "2022-05-13T03:21:00.000Z,4,2.5,6.5,8,8",
      "2022-05-13T03:22:00.000Z,3.25,0,3.25,5,8",
      "",
    ]);
  });

  it("has only the rows that are on screen, and says so", () => {
    const lines = toCsv({ ...input, rows: [1, 2] }).split("\r\n");
    expect(lines[1]).toContain(
      "# window: 2022-05-13T03:21:00.000Z to 2022-05-13T03:22:00.000Z, end not included",
    );
    expect(lines.slice(9)).toEqual(["2022-05-13T03:21:00.000Z,4,2.5,6.5,8,8", ""]);
  });

  it.each([
    ["=HYPERLINK(1)", "'=HYPERLINK(1)"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@x", "'@x"],
    ["\tx", "'\tx"],
    ['a "b", c', '"a ""b"", c"'],
    ['=x,"y"', '"\'=x,""y"""'],
    ["a-b", "a-b"],
  ])("writes the template name %j as %j", (name, expected) => {
    const csv = toCsv({ ...input, bands: [{ name, values: [0, 0, 0] }] });
    expect(csv).toContain(`bucket_start,${expected},total_mean`);
  });

  it("keeps a comment on one line, whatever the workflow's name", () => {
    const csv = toCsv({ ...input, workflow: { id: 7, name: "a\r\n=b" } });
    expect(csv.split("\r\n")[0]).toBe("# workflow: a =b (id 7)");
  });
});
