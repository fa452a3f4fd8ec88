import Button from "@mui/material/Button";
import IconButton from "@mui/material/IconButton";
import Popover from "@mui/material/Popover";
import Stack from "@mui/material/Stack";
import Tooltip from "@mui/material/Tooltip";
import Typography from "@mui/material/Typography";
import { useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import type { Server } from "../api/types";
import { logOut } from "./session";
import { UserIcon } from "../components/icons";

/** Who is logged in, and the way out. */
export function UserMenu({ user }: { user: NonNullable<Server["user"]> }) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const queries = useQueryClient();
  const title = useId();
  const [leaving, setLeaving] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  async function leave() {
    setLeaving(true);
    try {
      // An answer that is still on its way might bring the cookie back.
      await queries.cancelQueries();
      await logOut();
      // Nothing of what was loaded stays in the page.
      location.reload();
    } catch (failure) {
      setError(failure as Error);
      setLeaving(false);
    }
  }
  const name = user.name === "" ? "Unknown user" : user.full_name || user.name;
  return (
    <>
      <Tooltip title={name}>
        <IconButton
          aria-label={`Logged in as ${name}`}
          aria-haspopup="dialog"
          aria-expanded={anchor !== null}
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <UserIcon />
        </IconButton>
      </Tooltip>
      <Popover
        open={anchor !== null}
        anchorEl={anchor}
        onClose={() => setAnchor(null)}
        anchorOrigin={{ vertical: "bottom", horizontal: "right" }}
        transformOrigin={{ vertical: "top", horizontal: "right" }}
        slotProps={{ paper: { role: "dialog", "aria-labelledby": title } }}
      >
        <Stack sx={{ p: 2, gap: 1, maxWidth: 320, overflowWrap: "anywhere" }}>
          <Typography id={title} component="h2" sx={{ fontWeight: 700 }}>
            {name}
          </Typography>
          {user.email !== "" && <Typography variant="body2">{user.email}</Typography>}
          {user.name !== "" && (
            <Typography variant="body2" sx={{ color: "text.secondary" }}>
              {user.groups.length === 0 ? "In no group" : `Groups: ${user.groups.join(", ")}`}
            </Typography>
          )}
          <Button variant="outlined" loading={leaving} onClick={() => void leave()}>
            Log out
          </Button>
          {error !== null && (
            <Typography role="alert" variant="body2" color="error">
              {error.message}
            </Typography>
          )}
        </Stack>
      </Popover>
    </>
  );
}
