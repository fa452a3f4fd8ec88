import Box from "@mui/material/Box";
import Tooltip from "@mui/material/Tooltip";
import Typography from "@mui/material/Typography";
import { formatNumber } from "../format";
import { countsOf, progressWords, taskStatusNames } from "../taskWords";
import { Strip } from "./Strip";

interface Props {
  /** How many tasks there are, by the letters of their statuses. */
  tasks: Readonly<Record<string, number>>;
}

/** Tasks by status as a bar, with its numbers in words, and all of them on pointing or focus. */
export function TaskStatusBar({ tasks }: Props) {
  const counts = countsOf(tasks);
  const words = progressWords(tasks);
  const all = counts
    .map(({ status, count }) => `${formatNumber(count)} ${taskStatusNames[status]}`)
    .join(", ");
  return (
    <Tooltip
      describeChild
      title={
        counts.length > 0 && (
          <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0 }}>
            {counts.map(({ status, count }) => (
              <li key={status}>
                {formatNumber(count)} {taskStatusNames[status]}
              </li>
            ))}
          </Box>
        )
      }
    >
      <Box
        role="img"
        tabIndex={counts.length > 0 ? 0 : undefined}
        aria-label={counts.length > 0 ? `${words}: ${all}` : words}
        sx={{ minWidth: 140, py: 0.25, borderRadius: 0.5 }}
      >
        <Strip height={8} parts={counts.map(({ status, count }) => ({ status, size: count }))} />
        <Typography
          variant="caption"
          component="div"
          sx={{ color: "text.secondary", whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" }}
        >
          {words}
        </Typography>
      </Box>
    </Tooltip>
  );
}
