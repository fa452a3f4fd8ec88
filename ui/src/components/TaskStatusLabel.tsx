import Box from "@mui/material/Box";
import { useTheme } from "@mui/material/styles";
import type { TaskStatus } from "../api/types";
import { pages } from "../charts/palette";
import { statusMark } from "../charts/statusMark";
import { Swatch } from "../concurrency/Swatch";
import { taskStatusWords } from "../taskWords";

/** A task's status in words, beside the colour and pattern that stand for it in bars. */
export function TaskStatusLabel({ status }: { status: TaskStatus }) {
  return (
    <Box component="span" sx={{ display: "inline-flex", alignItems: "baseline", gap: 0.75 }}>
      <span style={{ display: "flex", alignSelf: "center" }}>
        <StatusSwatch status={status} />
      </span>
      <span style={{ whiteSpace: "nowrap" }}>{taskStatusWords(status)}</span>
    </Box>
  );
}

export function StatusSwatch({ status, size = 12 }: { status: TaskStatus; size?: number }) {
  const { mode } = useTheme().palette;
  return <Swatch mark={statusMark(status, mode)} page={pages[mode]} size={size} />;
}
