import Box from "@mui/material/Box";
import Tooltip from "@mui/material/Tooltip";
import Typography from "@mui/material/Typography";
import { formatNumber } from "../format";
import { useMode } from "../preferences/useMode";
import { progressWords, statusCounts } from "../taskStatuses";

interface Props {
  /** How many tasks there are, by the letters of their statuses. */
  tasks: Readonly<Record<string, number>>;
}

/** Tasks by status as a bar, with its numbers in words, and all of them on pointing or focus. */
export function TaskStatusBar({ tasks }: Props) {
  const mode = useMode();
  const counts = statusCounts(tasks);
  const words = progressWords(tasks);
  const all = counts.map(({ status, count }) => `${formatNumber(count)} ${status.name}`).join(", ");
  return (
    <Tooltip
      describeChild
      title={
        counts.length > 0 && (
          <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0 }}>
            {counts.map(({ status, count }) => (
              <li key={status.letter}>
                {formatNumber(count)} {status.name}
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
        <Box
          sx={{
            display: "flex",
            gap: "1px",
            height: 8,
            borderRadius: 1,
            overflow: "hidden",
            bgcolor: counts.length > 0 ? undefined : "divider",
          }}
        >
          {counts.map(({ status, count }) => (
            // A single task of thousands is still to be seen.
            <Box
              key={status.letter}
              sx={{ flex: `${count} 1 0`, minWidth: 3, bgcolor: status.colours[mode] }}
            />
          ))}
        </Box>
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
