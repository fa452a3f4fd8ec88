import Stack from "@mui/material/Stack";
import type { TaskStatus } from "../api/types";
import { TaskStatusLabel } from "./TaskStatusLabel";

/** Which colour and pattern stand for which status. */
export function StatusLegend({ statuses }: { statuses: readonly TaskStatus[] }) {
  return (
    <Stack
      component="ul"
      aria-label="Legend of statuses"
      direction="row"
      sx={{
        flexWrap: "wrap",
        columnGap: 2,
        rowGap: 0.5,
        listStyle: "none",
        m: 0,
        p: 0,
        typography: "body2",
        color: "text.secondary",
      }}
    >
      {statuses.map((status) => (
        <li key={status}>
          <TaskStatusLabel status={status} />
        </li>
      ))}
    </Stack>
  );
}
