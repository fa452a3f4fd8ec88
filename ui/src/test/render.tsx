import { QueryClientProvider } from "@tanstack/react-query";
import { act, render } from "@testing-library/react";
import { MemoryRouter, useLocation, useNavigate } from "react-router";
import { newQueryClient } from "../queryClient";
import { AppRoutes } from "../routes/AppRoutes";

/** The whole app at an address. */
export function renderAt(address: string) {
  const client = newQueryClient();
  let location = "";
  let back: () => void = () => undefined;
  function Location() {
    const { pathname, search } = useLocation();
    const navigate = useNavigate();
    location = pathname + search;
    back = () => void navigate(-1);
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
  return { client, location: () => location, back: () => act(() => back()) };
}
