import { expect, it } from "vitest";
import { contrast, type Mode } from "./charts/palette";
import { themeOf } from "./theme";

it.each<Mode>(["light", "dark"])("%s: the colours of words can be read on the page", (mode) => {
  const { palette } = themeOf(mode);
  for (const name of ["primary", "success", "info", "warning", "error"] as const) {
    for (const page of [palette.background.paper, palette.background.default]) {
      expect(contrast(palette[name].main, page), name).toBeGreaterThanOrEqual(4.5);
    }
  }
});
