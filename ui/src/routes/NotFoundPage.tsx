import Button from "@mui/material/Button";
import { Link } from "react-router";
import { EmptyState } from "../components/states";

export function NotFoundPage() {
  return (
    <EmptyState
      title="There is no such page"
      action={
        <Button component={Link} to="/" variant="outlined">
          All workflows
        </Button>
      }
    >
      The address may be mistyped, or from another version of Tasktide.
    </EmptyState>
  );
}
