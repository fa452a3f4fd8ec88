import { describe, expect, it } from "vitest";
import { actionOf } from "./chartKeys";

const none = { shiftKey: false, ctrlKey: false, metaKey: false, altKey: false };

describe("actionOf", () => {
  it.each([
    ["+", {}, { zoom: 0.5 }],
    ["+", { shiftKey: true }, { zoom: 0.5 }],
    ["-", {}, { zoom: 2 }],
    ["0", {}, { zoom: 0 }],
    ["ArrowLeft", {}, { key: "ArrowLeft" }],
    ["ArrowLeft", { shiftKey: true }, { pan: -0.25 }],
    ["ArrowRight", { shiftKey: true }, { pan: 0.25 }],
    ["Enter", {}, { key: "Enter" }],
    ["Tab", { shiftKey: true }, null],
    ["ArrowLeft", { altKey: true }, null],
    ["0", { ctrlKey: true }, null],
    ["+", { metaKey: true }, null],
  ])("takes %s with %j for %j", (key, held, expected) => {
    expect(actionOf({ ...none, ...held, key })).toEqual(expected);
  });
});
