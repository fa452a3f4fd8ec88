import { expect, it } from "vitest";
import { parseInstant } from "./instant";

it.each([
  ["2022-05-13 03:24:14.803127", "2022-05-13T03:24:14.803127Z"],
  ["2022-05-13T03:24:14Z", "2022-05-13T03:24:14Z"],
  ["2022-05-13 03:24:14.5 UTC", "2022-05-13T03:24:14.5Z"],
  [" 2022-05-13  03:24 ", "2022-05-13T03:24:00Z"],
  ["2022-05-13", "2022-05-13T00:00:00Z"],
])("reads %s", (text, instant) => {
  expect(parseInstant(text)).toBe(instant);
});

it.each(["", "now", "03:24", "2022-13-01", "2022-02-30", "2022-05-13 24:61", "2022-05-13 03"])(
  "does not take %j for an instant",
  (text) => {
    expect(parseInstant(text)).toBeNull();
  },
);
