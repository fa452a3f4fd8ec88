import Link from "@mui/material/Link";
import type { ReactNode } from "react";

interface Props {
  /** Id of the element that is gone to, which can have the focus. */
  to: string;
  children: ReactNode;
}

/** Leads past what stands before an element, for those who go through the page with the keyboard: others do not see it. */
export function SkipLink({ to, children }: Props) {
  return (
    <Link
      href={`#${to}`}
      onClick={(event) => {
        // The address is that of a view, which is not another one for where the focus is.
        event.preventDefault();
        document.getElementById(to)?.focus();
      }}
      sx={{
        position: "absolute",
        left: -9999,
        "&:focus": { left: 16, mt: 0.5, zIndex: 2, bgcolor: "background.paper", p: 1 },
      }}
    >
      {children}
    </Link>
  );
}
