import Box from "@mui/material/Box";
import { useTheme } from "@mui/material/styles";
import { pages } from "../charts/palette";
import { patternTile } from "../charts/patternTile";
import { statusMark } from "../charts/statusMark";
import { formatNumber } from "../format";
import { taskStatusWords, type StatusCount } from "../taskWords";
import { StatusSwatch } from "./TaskStatusLabel";
import { VisuallyHidden } from "./VisuallyHidden";

/** Tasks by status: a bar of their shares, and under it the numbers, which say all that it does. */
export function StatusBar({ counts }: { counts: readonly StatusCount[] }) {
  const { mode } = useTheme().palette;
  const page = pages[mode];
  return (
    <Box sx={sx}>
      <div aria-hidden="true">
        {counts.map(({ status, count }) => {
          const mark = statusMark(status, mode);
          const tile = patternTile(mark, page);
          return (
            <span
              key={status}
              style={{
                // The least of them is still to be seen.
                flex: `${count} 0 3px`,
                backgroundColor: mark.colour,
                backgroundImage: tile === null ? undefined : `url(${tile})`,
                backgroundSize: "8px 8px",
              }}
            />
          );
        })}
      </div>
      <ul>
        {counts.map(({ status, count }) => (
          <li
            key={status}
            title={`${formatNumber(count)} ${taskStatusWords(status).toLowerCase()}`}
          >
            <StatusSwatch status={status} size={10} />
            {formatNumber(count)}
            <VisuallyHidden> {taskStatusWords(status).toLowerCase()}</VisuallyHidden>
          </li>
        ))}
      </ul>
    </Box>
  );
}

/** In one place, as there is a bar in each row of a table. */
const sx = {
  minWidth: 150,
  "& > div": { display: "flex", gap: "1px", height: 10, borderRadius: 1, overflow: "hidden" },
  "& ul": { display: "flex", flexWrap: "wrap", columnGap: 1.25, m: 0, mt: 0.5, p: 0 },
  "& li": { display: "flex", alignItems: "center", gap: 0.5, typography: "caption" },
} as const;
