import Chip from "@mui/material/Chip";
import type { Workflow } from "../api/types";

type Letter = Workflow["status"];

const colours: Partial<Record<Letter, "success" | "error" | "info" | "warning">> = {
  D: "success",
  F: "error",
  A: "error",
  R: "info",
  O: "info",
  I: "info",
  H: "warning",
  N: "warning",
};

interface Props {
  status: Letter;
  name: string;
}

export function StatusChip({ status, name }: Props) {
  return (
    <Chip
      label={name.charAt(0) + name.slice(1).toLowerCase()}
      color={colours[status] ?? "default"}
      variant="outlined"
      size="small"
    />
  );
}
