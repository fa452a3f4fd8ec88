import ButtonBase from "@mui/material/ButtonBase";
import Tooltip from "@mui/material/Tooltip";
import { ResetIcon, ZoomInIcon, ZoomOutIcon } from "../components/icons";

const zooms = [
  { label: "Zoom in (+)", factor: 0.5, Icon: ZoomInIcon },
  { label: "Zoom out (−)", factor: 2, Icon: ZoomOutIcon },
  { label: "Whole window (0, or double-click)", factor: 0, Icon: ResetIcon },
];

interface Props {
  /** How many times as long the range is to be; 0 for the whole window. */
  onZoom: (factor: number) => void;
}

export function ZoomButtons({ onZoom }: Props) {
  return zooms.map(({ label, factor, Icon }) => (
    <Tooltip key={label} title={label}>
      <ButtonBase
        aria-label={label}
        onClick={() => onZoom(factor)}
        sx={{
          p: 0.5,
          ml: 0.5,
          borderRadius: 1,
          border: 1,
          borderColor: "divider",
          color: "text.secondary",
          bgcolor: "background.paper",
          "&:hover": { color: "text.primary" },
        }}
      >
        <Icon />
      </ButtonBase>
    </Tooltip>
  ));
}
