import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { MemoryRouter, useLocation } from "react-router";
import { newQueryClient } from "../queryClient";
import { AppRoutes } from "../routes/AppRoutes";

/** The whole app at an address. */
export function renderAt(address: string) {
  const client = newQueryClient();
  let location = "";
  function Location() {
    const { pathname, search } = useLocation();
    location = pathname + search;
    return null;
  }
  render(
    <QueryClientProvider client={client}>
      <MemoryRouter initialEntries={[address]}>
        <AppRoutes />
        <Location />
      </MemoryRouter>
    </QueryClientProvider>,
  );
  return { client, location: () => location };
}
