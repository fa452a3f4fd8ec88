import Button from "@mui/material/Button";
import { useState, type ReactNode } from "react";
import { formatNumber } from "../format";

interface Props<T> {
  /** In the order of time. */
  items: readonly T[];
  /** What they are, as "stays". */
  what: string;
  /** How many are shown at first, and added at a time. */
  step?: number;
  children: (latest: readonly T[]) => ReactNode;
}

/** The latest of many things that are there already, and a button that shows earlier ones. */
export function Latest<T>({ items, what, step = 100, children }: Props<T>) {
  const [shown, setShown] = useState(step);
  const hidden = Math.max(0, items.length - shown);
  return (
    <>
      {hidden > 0 && (
        <Button onClick={() => setShown(shown + step)} sx={{ m: 1 }}>
          Show {formatNumber(Math.min(step, hidden))} of {formatNumber(hidden)} earlier {what}
        </Button>
      )}
      {children(hidden === 0 ? items : items.slice(hidden))}
    </>
  );
}
