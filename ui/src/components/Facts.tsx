import Box from "@mui/material/Box";
import Stack from "@mui/material/Stack";
import type { ReactNode } from "react";

/** Names and values, side by side as far as they fit. */
export function Facts({ children }: { children: ReactNode }) {
  return (
    <Stack
      component="dl"
      direction="row"
      sx={{ flexWrap: "wrap", alignItems: "baseline", columnGap: 3, rowGap: 0.5, m: 0, mt: 0.5 }}
    >
      {children}
    </Stack>
  );
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Stack
      direction="row"
      sx={{ alignItems: "baseline", gap: 0.75, typography: "body2", minWidth: 0 }}
    >
      <Box component="dt" sx={{ color: "text.secondary", flex: "none" }}>
        {name}
      </Box>
      <Box
        component="dd"
        sx={{ m: 0, fontVariantNumeric: "tabular-nums", overflowWrap: "anywhere", minWidth: 0 }}
      >
        {children}
      </Box>
    </Stack>
  );
}
