import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { ErrorBoundary } from "./ErrorBoundary";
import { lazy } from "./lazy";
import { Part } from "./Part";

function Greeting({ name }: { name: string }) {
  return <p>Hello {name}</p>;
}

it("draws the placeholder, then the part, and a part that is there at once", async () => {
  const load = vi.fn(() => Promise.resolve(Greeting));
  const code = lazy(load);
  const part = <Part code={code} props={{ name: "Ada" }} placeholder="Loading" />;
  const { unmount } = render(part);
  expect(screen.getByText("Loading")).toBeVisible();
  expect(await screen.findByText("Hello Ada")).toBeVisible();
  unmount();
  render(part);
  expect(screen.getByText("Hello Ada")).toBeVisible();
  expect(load).toHaveBeenCalledTimes(1);
});

it("tells a failure, and loads again when it is asked to", async () => {
  // React tells the error on the console too.
  vi.spyOn(console, "error").mockReturnValue(undefined);
  const load = vi
    .fn(() => Promise.resolve(Greeting))
    .mockRejectedValueOnce(new Error("The file is gone."));
  render(
    <ErrorBoundary>
      <Part code={lazy(load)} props={{ name: "Ada" }} placeholder="Loading" />
    </ErrorBoundary>,
  );
  expect(await screen.findByRole("alert")).toHaveTextContent("The file is gone.");
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("Hello Ada")).toBeVisible();
});

it("gives a part another chance at another address", () => {
  vi.spyOn(console, "error").mockReturnValue(undefined);
  function Broken(): never {
    throw new Error("Broken.");
  }
  const { rerender } = render(
    <ErrorBoundary resetOn="/a">
      <Broken />
    </ErrorBoundary>,
  );
  expect(screen.getByRole("alert")).toHaveTextContent("Broken.");
  rerender(
    <ErrorBoundary resetOn="/b">
      <p>Whole</p>
    </ErrorBoundary>,
  );
  expect(screen.getByText("Whole")).toBeVisible();
});
