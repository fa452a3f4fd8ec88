import { expect, it } from "vitest";
import {
  formatDuration,
  formatElapsed,
  formatInstant,
  formatNumber,
  formatShare,
  formatSpan,
} from "./format";

it("writes instants in UTC with every digit that is not zero", () => {
  expect(formatInstant("2022-05-13T03:24:14.803000Z")).toBe("2022-05-13 03:24:14.803 UTC");
  expect(formatInstant("2022-05-13T03:24:14.803127Z")).toBe("2022-05-13 03:24:14.803127 UTC");
  expect(formatInstant("2022-05-13T03:24:14Z")).toBe("2022-05-13 03:24:14 UTC");
});

it("says the day of a span's end only where it is another", () => {
  const at = (time: string) => Date.parse(`2022-05-${time}Z`);
  expect(formatSpan(at("13T03:24:00"), at("13T03:25:00"))).toBe(
    "2022-05-13 03:24:00 – 03:25:00 UTC",
  );
  expect(formatSpan(at("13T23:59:00"), at("14T00:00:00"))).toBe(
    "2022-05-13 23:59:00 – 2022-05-14 00:00:00 UTC",
  );
});

it.each([
  [0, "0 s"],
  [5, "5 s"],
  [60, "1 min"],
  [2534, "42 min 14 s"],
  [3600, "1 h"],
  [86_400, "1 d"],
  [90_061, "1 d 1 h"],
  [86_460, "1 d"],
])("writes %s seconds as %s", (seconds, words) => {
  expect(formatDuration(seconds)).toBe(words);
});

it.each([
  [0, "0 s"],
  [0.000127, "0.000127 s"],
  [0.25, "0.25 s"],
  [42.4567, "42.5 s"],
  [59.96, "1 min"],
  [2534.2, "42 min 14 s"],
])("writes %s elapsed seconds as %s", (seconds, words) => {
  expect(formatElapsed(seconds)).toBe(words);
});

it("writes numbers with every digit that the API sends", () => {
  expect(formatNumber(34234.716)).toBe("34,234.716");
  expect(formatNumber(3.25)).toBe("3.25");
});

it("never writes a share that is there as nothing", () => {
  expect(formatShare(0)).toBe("0%");
  expect(formatShare(0.0004)).toBe("<0.1%");
  expect(formatShare(0.5196)).toBe("52%");
});
