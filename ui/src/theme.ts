import { createTheme, type Theme } from "@mui/material/styles";
import { fontFamily } from "./charts/figure";
import { type Mode, pages } from "./charts/palette";

const accents: Record<Mode, string> = { light: "#4a40ad", dark: "#aaa5f3" };
const backgrounds: Record<Mode, string> = { light: "#f5f6fa", dark: "#0a0b0e" };
const dividers: Record<Mode, string> = { light: "#dfe2ea", dark: "#2b2e36" };
/** MUI's own of the light mode are too pale to be read on the page, or with white on them. */
const signals = { light: { info: "#0271ad", warning: "#a85400" }, dark: null };

/** Where fingers choose, browsers zoom into a field whose words are smaller than 16 pixels. */
const smallWithMouse = { "@media (hover: hover)": { fontSize: "0.875rem" } };

export function themeOf(mode: Mode): Theme {
  return createTheme({
    palette: {
      mode,
      primary: { main: accents[mode] },
      ...(signals[mode] && {
        info: { main: signals[mode].info },
        warning: { main: signals[mode].warning },
      }),
      // The chart's colours are chosen for contrast with these.
      background: { paper: pages[mode], default: backgrounds[mode] },
      divider: dividers[mode],
    },
    shape: { borderRadius: 8 },
    typography: {
      fontFamily,
      h1: { fontSize: "1.5rem", fontWeight: 650, letterSpacing: "-0.01em" },
      h2: { fontSize: "1.05rem", fontWeight: 650 },
      button: { textTransform: "none", fontWeight: 600 },
    },
    components: {
      MuiPaper: {
        defaultProps: { variant: "outlined" },
        styleOverrides: { root: { backgroundImage: "none" } },
      },
      // A long message leaves the button beside it as it is.
      MuiAlert: { styleOverrides: { action: { whiteSpace: "nowrap" } } },
      MuiInputBase: { styleOverrides: { sizeSmall: smallWithMouse } },
      MuiInputLabel: { styleOverrides: { sizeSmall: smallWithMouse } },
      MuiButton: { defaultProps: { size: "small" } },
      MuiIconButton: { defaultProps: { size: "small" } },
      MuiButtonBase: {
        styleOverrides: {
          root: {
            "&.Mui-focusVisible": { outline: `2px solid ${accents[mode]}`, outlineOffset: 2 },
          },
        },
      },
      MuiTableCell: { styleOverrides: { root: { borderColor: dividers[mode] } } },
      MuiTooltip: { defaultProps: { arrow: true } },
    },
  });
}
