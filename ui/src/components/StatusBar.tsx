import Box from "@mui/material/Box";
import { formatNumber } from "../format";
import { taskStatusWords, type StatusCount } from "../taskWords";
import { Strip } from "./Strip";
import { StatusSwatch } from "./TaskStatusLabel";
import { VisuallyHidden } from "./VisuallyHidden";

/** Tasks by status: a bar of their shares, and under it the numbers, which say all that it does. */
export function StatusBar({ counts }: { counts: readonly StatusCount[] }) {
  return (
    <Box sx={sx}>
      <div aria-hidden="true">
        <Strip height={10} parts={counts.map(({ status, count }) => ({ status, size: count }))} />
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
  "& ul": { display: "flex", flexWrap: "wrap", columnGap: 1.25, m: 0, mt: 0.5, p: 0 },
  "& li": { display: "flex", alignItems: "center", gap: 0.5, typography: "caption" },
} as const;
