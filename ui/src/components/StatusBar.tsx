import Box from "@mui/material/Box";
import { formatNumber } from "../format";
import { taskStatusWords, type StatusCount } from "../taskWords";
import { StatusSwatch } from "./TaskStatusLabel";
import { VisuallyHidden } from "./VisuallyHidden";
import { patternTile } from "../charts/patternTile";
import { pages } from "../charts/palette";
import { statusMark } from "../charts/statusMark";
import { useMode } from "../preferences/useMode";

/** Tasks by status: a bar of their shares, and under it the numbers, which say all that it does. */
export function StatusBar({ counts }: { counts: readonly StatusCount[] }) {
  const mode = useMode();
  const page = pages[mode];
  return (
    <Box sx={{ minWidth: 150 }}>
      <Box
        aria-hidden="true"
        sx={{ display: "flex", gap: "1px", height: 10, borderRadius: 1, overflow: "hidden" }}
      >
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
      </Box>
      <Box
        component="ul"
        sx={{ display: "flex", flexWrap: "wrap", columnGap: 1.25, m: 0, mt: 0.5, p: 0 }}
      >
        {counts.map(({ status, count }) => (
          <Box
            component="li"
            key={status}
            title={`${formatNumber(count)} ${taskStatusWords(status).toLowerCase()}`}
            sx={{ display: "flex", alignItems: "center", gap: 0.5, typography: "caption" }}
          >
            <StatusSwatch status={status} size={10} />
            {formatNumber(count)}
            <VisuallyHidden> {taskStatusWords(status).toLowerCase()}</VisuallyHidden>
          </Box>
        ))}
      </Box>
    </Box>
  );
}
