import Link from "@mui/material/Link";
import { Link as RouterLink } from "react-router";

interface Props {
  to: string;
  children: string;
  /** What the link is called where its text alone does not say it. */
  label?: string;
}

/** A name that leads to its page; its direction is that of its own writing. */
export function NameLink({ to, children, label }: Props) {
  return (
    <Link
      component={RouterLink}
      to={to}
      underline="hover"
      aria-label={label}
      sx={{ display: "inline-flex", alignItems: "center", minHeight: 24, fontWeight: 600 }}
    >
      <bdi>{children}</bdi>
    </Link>
  );
}
