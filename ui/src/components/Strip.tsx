import Box from "@mui/material/Box";
import { useTheme } from "@mui/material/styles";
import type { TaskStatus } from "../api/types";
import { pages } from "../charts/palette";
import { patternTile } from "../charts/patternTile";
import { statusMark } from "../charts/statusMark";

interface Props {
  parts: readonly {
    status: TaskStatus;
    /** Its share of the width is this of the sum of them all. */
    size: number;
    title?: string;
  }[];
  /** In pixels. */
  height: number;
}

/** A bar of statuses, each in its colour and pattern; what it says must be written beside it. */
export function Strip({ parts, height }: Props) {
  const { mode } = useTheme().palette;
  const page = pages[mode];
  return (
    <Box sx={sx} style={{ height }}>
      {parts.map(({ status, size, title }, i) => {
        const mark = statusMark(status, mode);
        const tile = patternTile(mark, page);
        return (
          <span
            key={i}
            title={title}
            style={{
              // The least of them is still to be seen.
              flex: `${size} 0 2px`,
              backgroundColor: mark.colour,
              backgroundImage: tile === null ? undefined : `url(${tile})`,
              backgroundSize: "8px 8px",
            }}
          />
        );
      })}
    </Box>
  );
}

const sx = {
  display: "flex",
  gap: "1px",
  borderRadius: 1,
  overflow: "hidden",
  "&:empty": { bgcolor: "divider" },
} as const;
