import Box from "@mui/material/Box";
import { useState } from "react";
import { LinkIcon } from "../components/icons";
import { VisuallyHidden } from "../components/VisuallyHidden";
import type { Range } from "../charts/timeline";
import { MenuButton } from "./MenuButton";
import { instantOf, withView, type View } from "./view";

interface Props {
  view: View;
  /** What is on screen; null before it is known. */
  shown: Range | null;
}

/** Puts the address of what is on screen onto the clipboard: as it moves with time, or as it is now. */
export function CopyLink({ view, shown }: Props) {
  const [said, setSaid] = useState("");
  function copy(address: string, what: string) {
    navigator.clipboard.writeText(address).then(
      () => setSaid(`${what} is on the clipboard.`),
      () => setSaid("The browser does not allow it. Copy the address from its bar."),
    );
  }
  const here = () => new URL(window.location.href);
  const moving = view.zoom === null && (view.window === null || typeof view.window === "string");
  const fixed = {
    label: "This window for ever",
    onClick: () => {
      const address = here();
      if (shown !== null) {
        const span = { start: instantOf(shown[0]), end: instantOf(shown[1]) };
        address.search = withView(address.searchParams, { window: span, zoom: null }).toString();
      }
      copy(address.href, "The link to this window");
    },
  };
  const current = {
    label: "This view, as it moves with time",
    onClick: () => copy(here().href, "The link"),
  };
  return (
    <Box sx={{ display: "inline-flex", alignItems: "center", gap: said === "" ? 0 : 1 }}>
      <MenuButton
        label="Copy link"
        icon={<LinkIcon />}
        actions={moving ? [current, fixed] : [fixed]}
      />
      <span role="status" style={{ fontSize: "0.8125rem" }}>
        {said === "" ? <VisuallyHidden>Nothing copied yet</VisuallyHidden> : said}
      </span>
    </Box>
  );
}
