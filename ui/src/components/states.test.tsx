import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { ApiError } from "../api/client";
import { ErrorState, StaleAlert } from "./states";

const id = "4bf92f3577b34da6a3ce929d0e0e4736";
const failure = new ApiError("internal", "Broken.", 500, null, id);

it("shows the trace id of a failed request, to be copied", async () => {
  const user = userEvent.setup();
  render(<ErrorState title="Nothing came" error={failure} />);
  expect(screen.getByText(id)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Copy the trace id" }));
  expect(await navigator.clipboard.readText()).toBe(id);
  expect(screen.getByRole("status")).toHaveTextContent("Copied");
});

it("says so where it cannot be copied", async () => {
  const user = userEvent.setup();
  Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true });
  render(<StaleAlert error={failure} dataAt={0} onRetry={() => undefined} />);
  await user.click(screen.getByRole("button", { name: "Copy the trace id" }));
  expect(await screen.findByText(/^Not copied/)).toBeInTheDocument();
});

it.each([new Error("Odd."), new ApiError("format", "No columns.")])("has none of %s", (error) => {
  render(<ErrorState title="Nothing came" error={error} />);
  expect(screen.getByRole("alert")).toHaveTextContent(error.message);
  expect(screen.queryByText(/Trace id/)).not.toBeInTheDocument();
});
