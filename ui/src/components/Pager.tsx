import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";

export interface Paging {
  /** The cursor of the page that is shown; "" for the first one. */
  cursor: string;
  onCursor: (cursor: string) => void;
}

interface Props extends Paging {
  /** The cursor of the page after this one, null on the last. */
  next: string | null;
}

/** Leads through pages that the server cuts; nothing where there is only one. */
export function Pager({ cursor, next, onCursor }: Props) {
  if (cursor === "" && next === null) return null;
  return (
    <Stack
      component="nav"
      aria-label="Pages"
      direction="row"
      sx={{ justifyContent: "end", gap: 1 }}
    >
      <Button variant="outlined" disabled={cursor === ""} onClick={() => onCursor("")}>
        First page
      </Button>
      <Button variant="outlined" disabled={next === null} onClick={() => onCursor(next ?? "")}>
        Next page
      </Button>
    </Stack>
  );
}
