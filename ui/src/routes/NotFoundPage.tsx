import Button from "@mui/material/Button";
import { Link } from "react-router";
import { EmptyState } from "../components/states";
import { useTitle } from "./useTitle";

interface Props {
  /** What the address should have led to. */
  what?: "page" | "workflow" | "task";
}

export function NotFoundPage({ what = "page" }: Props) {
  useTitle(`No such ${what}`);
  return (
    <EmptyState
      alone
      title={`There is no such ${what}`}
      action={
        <Button component={Link} to="/" variant="outlined">
          All workflows
        </Button>
      }
    >
      {what === "page"
        ? "The address may be mistyped, or from another version of Tasktide."
        : `The number in the address is not that of a ${what} on this server.`}
    </EmptyState>
  );
}
