import { useMemo } from "react";
import type { Mark } from "../charts/palette";
import { patternTile } from "../charts/patternTile";

interface Props {
  mark: Mark;
  page: string;
  size?: number;
  /** Of a template that is not shown now. */
  faded?: boolean;
}

/** The colour and pattern of a template, as in the chart. */
export function Swatch({ mark, page, size = 14, faded = false }: Props) {
  const tile = useMemo(() => patternTile(mark, page), [mark, page]);
  return (
    <span
      aria-hidden="true"
      style={{
        display: "inline-block",
        flex: "none",
        width: size,
        height: size,
        borderRadius: 3,
        opacity: faded ? 0.4 : 1,
        backgroundColor: mark.colour,
        backgroundImage: tile === null ? undefined : `url(${tile})`,
        backgroundSize: "8px 8px",
      }}
    />
  );
}
