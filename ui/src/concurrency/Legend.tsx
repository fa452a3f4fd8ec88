import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import ButtonBase from "@mui/material/ButtonBase";
import IconButton from "@mui/material/IconButton";
import type { Mark } from "../charts/palette";
import { Help } from "../help/Help";
import { EyeIcon, EyeOffIcon } from "../components/icons";
import { ShortName } from "../components/ShortName";
import { VisuallyHidden } from "../components/VisuallyHidden";
import { formatNumber, formatShare } from "../format";
import { shareAtLimit } from "./limits";
import type { LegendEntry } from "./model";
import { Swatch } from "./Swatch";

interface Props {
  entries: readonly LegendEntry[];
  /** How many templates there are, told apart or not; null while that is not known. */
  templates: number | null;
  marks: ReadonlyMap<string, Mark>;
  page: string;
  /** The template that is isolated, if one is. */
  isolated: string | null;
  onIsolate: (name: string) => void;
  onMute: (name: string) => void;
  onShowAll: () => void;
  /** Tells the templates apart that are together as Other, or no longer; null where there are none. */
  onEvery: (() => void) | null;
  every: boolean;
  onHighlight: (name: string | null) => void;
}

/** In the order of the stack, from its top. A click isolates, a click with Ctrl or ⌘ mutes. */
export function Legend(props: Props) {
  const { entries, templates, marks, page, isolated } = props;
  const hidden = entries.filter((entry) => !entry.shown).length;
  return (
    <Box
      component="section"
      aria-label="Legend"
      sx={{ display: "flex", flexDirection: "column", minHeight: 0, height: "100%" }}
    >
      <Box sx={{ display: "flex", alignItems: "center", minHeight: 36, px: 1 }}>
        <Box
          sx={{
            flex: 1,
            display: "flex",
            alignItems: "center",
            typography: "body2",
            color: "text.secondary",
          }}
        >
          {templates !== null && (
            <>
              {legendHeading(entries, templates)}
              <Help about={["peak", "share", "other"]} label="Legend" />
            </>
          )}
        </Box>
        {hidden > 0 ? (
          <Button onClick={props.onShowAll}>Show all</Button>
        ) : (
          <Box
            aria-hidden="true"
            sx={{ display: "flex", pr: "34px", typography: "caption", color: "text.secondary" }}
          >
            Peak
            <Box component="span" sx={{ width: 56, textAlign: "right" }}>
              Share
            </Box>
          </Box>
        )}
      </Box>
      <Box
        component="ul"
        onMouseLeave={() => props.onHighlight(null)}
        sx={{ listStyle: "none", m: 0, p: 0, overflowY: "auto", flex: 1, minHeight: 0 }}
      >
        {entries.map((entry) => (
          <LegendRow
            key={entry.name}
            entry={entry}
            mark={marks.get(entry.name)}
            page={page}
            isolated={isolated !== null && isolated === entry.template}
            onIsolate={() =>
              entry.template === null ? props.onEvery?.() : props.onIsolate(entry.template)
            }
            onMute={entry.template === null ? null : () => props.onMute(entry.template ?? "")}
            onHighlight={() => props.onHighlight(entry.shown ? entry.name : null)}
          />
        ))}
      </Box>
      <Box sx={{ px: 1, pt: 1, typography: "caption", color: "text.secondary" }}>
        Click to isolate, Ctrl-click to mute. Share is of the task-seconds in the window.
        {props.onEvery !== null && (
          <Button onClick={props.onEvery} sx={{ display: "block", mt: 0.5 }}>
            {props.every ? "Put the small ones together as Other" : "Tell every template apart"}
          </Button>
        )}
      </Box>
    </Box>
  );
}

/** How many templates are shown, of how many. */
function legendHeading(entries: readonly LegendEntry[], templates: number): string {
  const shown = new Set(entries.filter((entry) => entry.shown).map((entry) => entry.template));
  shown.delete(null);
  const all = `${formatNumber(templates)} ${templates === 1 ? "template" : "templates"}`;
  return shown.size === templates ? all : `${formatNumber(shown.size)} of ${all}`;
}

interface RowProps {
  entry: LegendEntry;
  mark: Mark | undefined;
  page: string;
  isolated: boolean;
  onIsolate: () => void;
  /** Null where there is nothing to mute. */
  onMute: (() => void) | null;
  onHighlight: () => void;
}

function LegendRow({ entry, mark, page, isolated, onIsolate, onMute, onHighlight }: RowProps) {
  const { name, peak, exact, share, shown, limit } = entry;
  return (
    <Box component="li" onMouseEnter={onHighlight} sx={{ display: "flex", alignItems: "center" }}>
      <ButtonBase
        aria-pressed={isolated}
        title={name}
        onClick={(event) => (event.ctrlKey || event.metaKey ? onMute?.() : onIsolate())}
        sx={{
          flex: 1,
          minWidth: 0,
          minHeight: 28,
          px: 1,
          gap: 1,
          borderRadius: 1,
          justifyContent: "flex-start",
          fontFamily: "inherit",
          fontSize: "0.8125rem",
          textAlign: "left",
          color: shown ? "text.primary" : "text.secondary",
          bgcolor: isolated ? "action.selected" : undefined,
          "&:hover": { bgcolor: "action.hover" },
          "&.Mui-focusVisible": { outlineOffset: -2 },
        }}
      >
        {mark !== undefined && <Swatch mark={mark} page={page} faded={!shown} />}
        <Box component="span" sx={{ flex: 1, minWidth: 0, py: 0.25 }}>
          <Box
            component="span"
            sx={{ display: "block", textDecoration: shown ? undefined : "line-through" }}
          >
            <ShortName>{name}</ShortName>
          </Box>
          {limit !== null && (
            <Box
              component="span"
              sx={{
                display: "block",
                overflow: "hidden",
                textOverflow: "ellipsis",
                whiteSpace: "nowrap",
                typography: "caption",
                color: "text.secondary",
              }}
            >
              Limit {formatNumber(limit.value)}
              {limit.reached !== null && `, at it for ${shareAtLimit(limit.reached)}`}
            </Box>
          )}
        </Box>
        <Box component="span" sx={numberSx}>
          {exact ? "" : "≤ "}
          {formatNumber(peak)}
          <VisuallyHidden> at most, </VisuallyHidden>
        </Box>
        <Box component="span" sx={{ ...numberSx, width: 48, color: "text.secondary" }}>
          {formatShare(share)}
        </Box>
      </ButtonBase>
      {onMute === null ? (
        <Box component="span" sx={{ width: 26 }} />
      ) : (
        <IconButton
          aria-label={`${shown ? "Mute" : "Show"} ${name}`}
          onClick={onMute}
          sx={{ p: 0.5, color: "text.secondary" }}
        >
          {shown ? <EyeIcon sx={{ fontSize: 18 }} /> : <EyeOffIcon sx={{ fontSize: 18 }} />}
        </IconButton>
      )}
    </Box>
  );
}

const numberSx = { fontVariantNumeric: "tabular-nums", textAlign: "right", flex: "none" } as const;
