import Box from "@mui/material/Box";
import { VisuallyHidden } from "./VisuallyHidden";

/** No name that is shorter is cut within the widths in which names are told. */
const short = 24;
const tailLength = 9;

/** A name on one line, without its middle where it is too long for it: names often differ at their ends alone. */
export function ShortName({ children: name }: { children: string }) {
  const characters = Array.from(name);
  if (characters.length <= short) {
    return (
      <Box component="bdi" sx={cut}>
        {name}
      </Box>
    );
  }
  return (
    <>
      <VisuallyHidden>{name}</VisuallyHidden>
      <Box component="span" aria-hidden="true" dir="auto" title={name} sx={{ display: "flex" }}>
        <Box component="span" sx={cut}>
          {characters.slice(0, -tailLength).join("")}
        </Box>
        <Box component="span" sx={{ flex: "none", whiteSpace: "pre" }}>
          {characters.slice(-tailLength).join("")}
        </Box>
      </Box>
    </>
  );
}

const cut = {
  display: "block",
  minWidth: 0,
  overflow: "hidden",
  textOverflow: "ellipsis",
  whiteSpace: "pre",
} as const;
