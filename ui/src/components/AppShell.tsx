import Box from "@mui/material/Box";
import Chip from "@mui/material/Chip";
import Container from "@mui/material/Container";
import Link from "@mui/material/Link";
import Tooltip from "@mui/material/Tooltip";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link as RouterLink, Outlet, useLocation } from "react-router";
import { basePath } from "../basePath";
import { useScrollToTop } from "../routes/useScrollToTop";
import { loginAction, userMenu } from "../login/parts";
import { serverQuery } from "../services/server";
import { telemetry } from "../telemetry/telemetry";
import { ErrorBoundary } from "./ErrorBoundary";
import { Part } from "./Part";
import { SkipLink } from "./SkipLink";
import { ThemeMenu } from "./ThemeMenu";

export function AppShell() {
  const server = useQuery(serverQuery());
  const { pathname } = useLocation();
  const listens = server.data?.telemetry;
  const user = server.data?.user ?? null;
  useEffect(() => {
    if (listens !== undefined) telemetry.listen(listens);
  }, [listens]);
  useScrollToTop();
  return (
    <>
      <SkipLink to="main">Skip to the content</SkipLink>
      <Box
        component="header"
        sx={{ bgcolor: "background.paper", borderBottom: 1, borderColor: "divider" }}
      >
        <Container
          maxWidth={false}
          sx={{
            maxWidth: 1840,
            display: "flex",
            alignItems: "center",
            gap: { xs: 1, sm: 1.5 },
            height: 56,
          }}
        >
          <Link
            component={RouterLink}
            to="/"
            underline="none"
            color="inherit"
            sx={{ display: "flex", alignItems: "center", gap: 1, minHeight: 32 }}
          >
            <img src={`${basePath}favicon.svg`} alt="" width={24} height={24} />
            <Typography component="span" sx={{ fontSize: "1.1rem", fontWeight: 700 }}>
              Tasktide
            </Typography>
          </Link>
          {server.data?.demo === true && (
            <Tooltip title="The tasks on this server are made up, for demonstration.">
              <Chip
                label="DEMO"
                color="warning"
                size="small"
                tabIndex={0}
                sx={{ fontWeight: 700 }}
              />
            </Tooltip>
          )}
          <Box sx={{ flex: 1 }} />
          <Link
            component={RouterLink}
            to="/health"
            variant="body2"
            aria-current={pathname === "/health" ? "page" : undefined}
            sx={{ display: "inline-flex", alignItems: "center", minHeight: 32 }}
          >
            Health
          </Link>
          <Link
            href={`${basePath}docs/`}
            variant="body2"
            sx={{ display: "inline-flex", alignItems: "center", minHeight: 32 }}
          >
            Help
          </Link>
          <Typography variant="body2" sx={{ color: "text.secondary", whiteSpace: "nowrap" }}>
            <Box component="span" sx={{ display: { xs: "none", sm: "inline" } }}>
              All times are{" "}
            </Box>
            UTC
          </Typography>
          <ThemeMenu />
          {user !== null && <Part code={userMenu} props={{ user }} placeholder={null} />}
          {user === null && server.data?.login === "oidc" && (
            <Part code={loginAction} props={{}} placeholder={null} />
          )}
        </Container>
      </Box>
      <Container
        component="main"
        id="main"
        tabIndex={-1}
        maxWidth={false}
        sx={{ maxWidth: 1840, pt: 2, pb: 3, flex: 1, outline: 0 }}
      >
        <ErrorBoundary resetOn={pathname}>
          <Outlet />
        </ErrorBoundary>
      </Container>
      <Container component="footer" maxWidth={false} sx={{ maxWidth: 1840, pb: 2 }}>
        <Typography variant="caption" sx={{ color: "text.secondary" }}>
          Tasktide {server.data?.version}
        </Typography>
      </Container>
    </>
  );
}
