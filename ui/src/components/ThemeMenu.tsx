import IconButton from "@mui/material/IconButton";
import ListItemIcon from "@mui/material/ListItemIcon";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import Tooltip from "@mui/material/Tooltip";
import { useState } from "react";
import { type Scheme, schemes, usePreferences } from "../preferences/store";
import { MoonIcon, SunIcon, SystemIcon } from "./icons";

const icons = { system: SystemIcon, light: SunIcon, dark: MoonIcon };
const labels: Record<Scheme, string> = { system: "As the system", light: "Light", dark: "Dark" };

export function ThemeMenu() {
  const { scheme, setScheme } = usePreferences();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const Icon = icons[scheme];
  return (
    <>
      <Tooltip title={`Colours: ${labels[scheme]}`}>
        <IconButton
          aria-label={`Colours: ${labels[scheme]}`}
          aria-haspopup="menu"
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <Icon />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {schemes.map((value) => {
          const ItemIcon = icons[value];
          return (
            <MenuItem
              key={value}
              selected={value === scheme}
              onClick={() => {
                setScheme(value);
                setAnchor(null);
              }}
            >
              <ListItemIcon>
                <ItemIcon />
              </ListItemIcon>
              {labels[value]}
            </MenuItem>
          );
        })}
      </Menu>
    </>
  );
}
