import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Help } from "./Help";
import texts from "./texts.json";

beforeEach(() => {
  render(
    <>
      <button>before</button>
      <Help about={["mean", "peak"]} label="Value" />
      <Help about={["taskSeconds"]} />
      <button>after</button>
    </>,
  );
});

afterEach(() => vi.useRealTimers());

const value = () => screen.getByRole("button", { name: "Help: Value" });
const seconds = () => screen.getByRole("button", { name: "Help: Task-seconds" });
const links = () => screen.queryAllByRole("link");

it("describes its button with every text, shown or not", () => {
  expect(value()).toHaveAccessibleDescription(`Mean: ${texts.mean.text} Peak: ${texts.peak.text}`);
  expect(value()).toHaveAttribute("aria-expanded", "false");
  expect(links()).toHaveLength(0);
});

it("is shown by the keyboard's focus, which goes on into it and out of it", async () => {
  const user = userEvent.setup();
  await user.tab();
  await user.tab();
  expect(value()).toHaveFocus();
  await waitFor(() => expect(value()).toHaveAttribute("aria-expanded", "true"));
  await user.tab();
  const link = screen.getByRole("link", { name: "Learn more about Mean" });
  expect(link).toHaveFocus();
  expect(link).toHaveAttribute("href", "/docs/glossary#mean");
  await user.tab();
  expect(seconds()).toHaveFocus();
  expect(value()).toHaveAttribute("aria-expanded", "false");
  await waitFor(() => expect(seconds()).toHaveAttribute("aria-expanded", "true"));
  await user.tab();
  await user.tab();
  expect(screen.getByRole("button", { name: "after" })).toHaveFocus();
  expect(links()).toHaveLength(0);
});

it("is hidden by Escape, which gives the focus back and reaches nothing else", async () => {
  const user = userEvent.setup();
  const heard = vi.fn();
  document.body.addEventListener("keydown", heard);
  await user.click(value());
  screen.getByRole("link").focus();
  await user.keyboard("{Escape}");
  expect(links()).toHaveLength(0);
  expect(value()).toHaveFocus();
  expect(heard).not.toHaveBeenCalled();
  await user.keyboard("{Escape}");
  expect(heard).toHaveBeenCalledOnce();
  document.body.removeEventListener("keydown", heard);
});

it("is shown while the mouse is on the button or the text, and no longer", () => {
  vi.useFakeTimers();
  const mouse = { pointerType: "mouse" };
  fireEvent.pointerOver(value(), mouse);
  expect(links()).toHaveLength(0);
  act(() => {
    vi.runAllTimers();
  });
  expect(links()).toHaveLength(1);
  // From the button across the gap to the text.
  fireEvent.pointerOut(value(), mouse);
  fireEvent.pointerOver(screen.getByRole("link"), mouse);
  act(() => {
    vi.runAllTimers();
  });
  expect(links()).toHaveLength(1);
  fireEvent.pointerOut(screen.getByRole("link"), mouse);
  act(() => {
    vi.runAllTimers();
  });
  expect(links()).toHaveLength(0);
});

it("stays after a press until the next one, or one elsewhere", async () => {
  const user = userEvent.setup({ pointerEventsCheck: 0 });
  await user.pointer([{ keys: "[TouchA]", target: value() }]);
  expect(value()).toHaveAttribute("aria-expanded", "true");
  await user.pointer([{ keys: "[TouchA]", target: value() }]);
  expect(value()).toHaveAttribute("aria-expanded", "false");
  await user.pointer([{ keys: "[TouchA]", target: value() }]);
  await user.pointer([{ keys: "[TouchA]", target: screen.getByText("Mean") }]);
  expect(value()).toHaveAttribute("aria-expanded", "true");
  await user.pointer([{ keys: "[TouchA]", target: document.body }]);
  expect(links()).toHaveLength(0);
});

it("is the only one that is shown", async () => {
  const user = userEvent.setup();
  await user.click(value());
  await user.click(seconds());
  expect(links()).toHaveLength(1);
  expect(screen.getByRole("link")).toHaveAccessibleName("Learn more about Task-seconds");
});
