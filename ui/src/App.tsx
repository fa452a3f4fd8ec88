import CssBaseline from "@mui/material/CssBaseline";
import GlobalStyles from "@mui/material/GlobalStyles";
import { ThemeProvider } from "@mui/material/styles";
import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { BrowserRouter } from "react-router";
import { basePath } from "./basePath";
import { ErrorBoundary } from "./components/ErrorBoundary";
import { useMode } from "./preferences/useMode";
import { AppRoutes } from "./routes/AppRoutes";
import { themeOf } from "./theme";

export function App({ queryClient }: { queryClient: QueryClient }) {
  const mode = useMode();
  const theme = useMemo(() => themeOf(mode), [mode]);
  return (
    <ThemeProvider theme={theme}>
      <CssBaseline enableColorScheme />
      <GlobalStyles
        styles={{ "#root": { minHeight: "100vh", display: "flex", flexDirection: "column" } }}
      />
      <ErrorBoundary>
        <QueryClientProvider client={queryClient}>
          <BrowserRouter basename={basePath}>
            <AppRoutes />
          </BrowserRouter>
        </QueryClientProvider>
      </ErrorBoundary>
    </ThemeProvider>
  );
}
