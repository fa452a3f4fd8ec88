import { describe, expect, it } from "vitest";
import { newStays, newTaskHistory } from "../test/factories/task";
import { barOf, maxStays, totalsOf } from "./bar";

describe("barOf", () => {
  it("ends where the task entered its final status", () => {
    const bar = barOf(newTaskHistory());
    expect(bar).toMatchObject({
      start: "2022-05-13T03:00:00.000Z",
      end: "2022-05-13T03:03:20.000Z",
      seconds: 200,
    });
    expect(bar?.segments.map(({ status }) => status).join("")).toBe("GQREQR");
  });

  it("goes on to now while the task may move", () => {
    const bar = barOf(newTaskHistory({ history: newStays(["G", 10], ["R", null, 1]) }));
    expect(bar).toMatchObject({ end: "2022-05-13T03:01:10.000Z", seconds: 70 });
  });

  it("shows a final status that was left again", () => {
    const bar = barOf(newTaskHistory({ history: newStays(["R", 10], ["D", 5], ["G", null]) }));
    expect(bar?.segments.map(({ status }) => status).join("")).toBe("RDG");
  });

  it("is not there where no time has passed", () => {
    expect(barOf(newTaskHistory({ history: newStays(["D", null]) }))).toBeNull();
    expect(barOf(newTaskHistory({ history: newStays(["R", 0], ["F", null]) }))).toBeNull();
  });

  it("merges stays that are too many to be seen, and loses no time", () => {
    const tries = Array.from({ length: 2000 }, (_, i) => i);
    const history = newStays(
      ["G", 500],
      ...tries.flatMap((i): [["Q", number, number], ["R", number, number]] => [
        ["Q", 1, i + 1],
        ["R", 3, i + 1],
      ]),
      ["F", null],
    );
    const bar = barOf(newTaskHistory({ history }));
    if (bar === null) throw new Error("there is no bar");
    expect(bar.segments.length).toBeLessThanOrEqual(2 * maxStays);
    expect(bar.segments.reduce((sum, { seconds }) => sum + seconds, 0)).toBe(8500);
    expect(bar.segments.reduce((sum, { stays }) => sum + stays, 0)).toBe(4001);
    expect(bar.segments[0]).toMatchObject({ status: "G", stays: 1, seconds: 500 });
    expect(new Set(bar.segments.slice(1).map(({ status }) => status))).toEqual(new Set(["R"]));
  });
});

it("adds up the time in each status, but not in one that lasts for ever", () => {
  const { history } = newTaskHistory();
  expect([...totalsOf(history)]).toEqual([
    ["G", 10],
    ["Q", 24.5],
    ["R", 165.5],
    ["E", 0],
  ]);
});
