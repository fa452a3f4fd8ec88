import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import Link from "@mui/material/Link";
import Paper from "@mui/material/Paper";
import Popper from "@mui/material/Popper";
import type { SxProps, Theme } from "@mui/material/styles";
import { useEffect, useId, useRef, useState } from "react";
import { basePath } from "../basePath";
import { HelpIcon } from "../components/icons";
import { VisuallyHidden } from "../components/VisuallyHidden";
import { hide, pin, show, useOpened } from "./store";
import texts from "./texts.json";

/** What there is a text of. */
export type HelpKey = keyof typeof texts;

interface Props {
  /** What is explained, in this order. */
  about: readonly [HelpKey, ...HelpKey[]];
  /** What the button is beside, as "Value"; without it, the first term. */
  label?: string;
  sx?: Exclude<SxProps<Theme>, readonly unknown[]>;
}

/** A pointer that crosses a button does not ask; one that leaves it for its text needs a moment. */
const delayMs = { show: 150, hide: 250 };

/**
 * A button that explains the words beside it. The text is shown while the mouse is on either of them or the keyboard's
 * focus is in them, and after a press until the next one, a press elsewhere or Escape. Screen readers get it as the
 * button's description.
 */
export function Help({ about, label, sx }: Props) {
  const id = useId();
  const open = useOpened((opened) => opened.id === id);
  const root = useRef<HTMLSpanElement>(null);
  const [button, setButton] = useState<HTMLButtonElement | null>(null);
  const timer = useRef<number | undefined>(undefined);
  const entries = about.map((key) => texts[key]);
  const [{ term, more }] = entries;

  function soon(act: () => void, ms: number) {
    clearTimeout(timer.current);
    timer.current = window.setTimeout(act, ms);
  }

  useEffect(
    () => () => {
      clearTimeout(timer.current);
      hide(id);
    },
    [id],
  );

  useEffect(() => {
    if (!open) return;
    function onKeyDown(event: KeyboardEvent) {
      if (event.key !== "Escape") return;
      // What is under it keeps what it shows.
      event.stopPropagation();
      if (root.current?.contains(document.activeElement)) button?.focus();
      hide(id);
    }
    function onPointerDown(event: PointerEvent) {
      if (event.target instanceof Node && !root.current?.contains(event.target)) hide(id);
    }
    document.addEventListener("keydown", onKeyDown, true);
    document.addEventListener("pointerdown", onPointerDown, true);
    return () => {
      document.removeEventListener("keydown", onKeyDown, true);
      document.removeEventListener("pointerdown", onPointerDown, true);
    };
  }, [open, id, button]);

  return (
    <Box
      component="span"
      ref={root}
      onPointerEnter={(event) => {
        if (event.pointerType !== "touch") soon(() => show(id), delayMs.show);
      }}
      onPointerLeave={(event) => {
        if (event.pointerType === "touch") return;
        soon(() => {
          const focused = root.current?.contains(document.activeElement) === true;
          if (!useOpened.getState().pinned && !focused) hide(id);
        }, delayMs.hide);
      }}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) hide(id);
      }}
      sx={[{ display: "inline-flex", flex: "none" }, sx ?? {}]}
    >
      <ButtonBase
        ref={setButton}
        aria-label={`Help: ${label ?? term}`}
        aria-expanded={open}
        aria-controls={open ? `${id}shown` : undefined}
        aria-describedby={`${id}text`}
        onFocusVisible={() => show(id)}
        onClick={(event) => {
          clearTimeout(timer.current);
          const { id: shown, pinned } = useOpened.getState();
          const byKey = event.detail === 0;
          if (shown === id && (pinned || byKey)) hide(id);
          else pin(id);
        }}
        sx={{
          width: 24,
          height: 24,
          borderRadius: "50%",
          color: "text.secondary",
          "&:hover": { color: "text.primary" },
        }}
      >
        <HelpIcon sx={{ fontSize: 16, borderRadius: "50%", bgcolor: "inherit" }} />
      </ButtonBase>
      <span hidden id={`${id}text`}>
        {entries.map(({ term, text }) => `${term}: ${text}`).join(" ")}
      </span>
      {open && (
        <Popper
          open
          disablePortal // so that Tab leads from the button to the text's link
          id={`${id}shown`}
          anchorEl={button}
          popperOptions={{ strategy: "fixed" }} // no frame cuts it off
          sx={{ zIndex: "tooltip" }}
        >
          <Paper
            elevation={6}
            variant="elevation"
            tabIndex={-1} // a press on the text takes the focus, and not away
            sx={textSx}
          >
            {entries.map(({ term, text }) => (
              <Box key={term} sx={{ "& + &": { mt: 1 } }}>
                <strong>{term}</strong>
                <br />
                {text}
              </Box>
            ))}
            <Link
              href={`${basePath}docs/${more}`}
              sx={{ display: "inline-flex", alignItems: "center", minHeight: 24, mt: 0.5 }}
            >
              Learn more<VisuallyHidden> about {term}</VisuallyHidden>
            </Link>
          </Paper>
        </Popper>
      )}
    </Box>
  );
}

/** It looks the same whatever it stands in. */
const textSx = {
  width: "max-content",
  maxWidth: "min(300px, calc(100vw - 32px))",
  px: 1.5,
  py: 1,
  typography: "body2",
  color: "text.primary",
  textAlign: "left",
  whiteSpace: "normal",
  overflowWrap: "break-word",
  cursor: "auto",
  outline: 0,
} as const;
