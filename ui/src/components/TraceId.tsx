import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import Tooltip from "@mui/material/Tooltip";
import { useState } from "react";
import { CopyIcon } from "./icons";
import { VisuallyHidden } from "./VisuallyHidden";

/** What to quote of a failed request: the server's log has it beside the reason. */
export function TraceId({ id }: { id: string }) {
  const [copied, setCopied] = useState<"yes" | "no" | null>(null);
  const words = { yes: "Copied", no: "Not copied: select and copy it by hand" };
  function copy() {
    // Where the page is not served securely there is no clipboard.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    const copying = clipboard?.writeText(id) ?? Promise.reject(new Error("no clipboard"));
    copying.then(
      () => setCopied("yes"),
      () => setCopied("no"),
    );
  }
  return (
    <Box sx={{ mt: 0.5, typography: "caption", color: "text.secondary" }}>
      Trace id{" "}
      <Box component="code" sx={{ userSelect: "all", overflowWrap: "anywhere" }}>
        {id}
      </Box>
      <Tooltip title={copied === null ? "Copy" : words[copied]}>
        <IconButton aria-label="Copy the trace id" onClick={copy} sx={{ p: 0.5, ml: 0.5 }}>
          <CopyIcon sx={{ fontSize: 16 }} />
        </IconButton>
      </Tooltip>
      <span role="status">
        <VisuallyHidden>{copied !== null && words[copied]}</VisuallyHidden>
      </span>
    </Box>
  );
}
