import useMediaQuery from "@mui/material/useMediaQuery";
import type { Mode } from "../charts/palette";
import { usePreferences } from "./store";

/** The colour mode in force: the person's choice, or the system's. */
export function useMode(): Mode {
  const scheme = usePreferences((preferences) => preferences.scheme);
  const systemDark = useMediaQuery("(prefers-color-scheme: dark)", { noSsr: true });
  if (scheme !== "system") return scheme;
  return systemDark ? "dark" : "light";
}
