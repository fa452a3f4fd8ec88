import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { ApiError, postJSON } from "../api/client";
import { answer } from "../test/api";
import { renderAt } from "../test/render";

vi.mock("../api/client", async (original) => ({
  ...(await original<object>()),
  getJSON: vi.fn(),
  postJSON: vi.fn(),
}));

const about = { version: "v0.1.0", demo: false, telemetry: false };
const ada = { name: "ada", full_name: "Ada Lovelace", email: "ada@example.org", groups: [] };
const anonymous = () => new ApiError("unauthenticated", "This is for those who are known.", 401);

const inPage = () => within(screen.getByRole("main"));

it("asks to log in, and comes back to the very address", async () => {
  answer({
    "api/v2/server": () => ({ ...about, login: "oidc", user: null }),
    "api/v2/workflows/7": anonymous,
  });
  renderAt("/workflows/7/tasks?status=D#suspects");
  const link = await inPage().findByRole("link", { name: "Log in" });
  expect(new URL(link.getAttribute("href") ?? "", "http://x").searchParams.get("return_to")).toBe(
    "/workflows/7/tasks?status=D#suspects",
  );
});

it("leads to JobMon where one logs in only there, and asks again", async () => {
  let known = false;
  answer({
    "api/v2/server": () => ({ ...about, login: "jobmon", user: null }),
    "api/v2/workflows": () => (known ? { workflows: [], next_cursor: null } : anonymous()),
  });
  renderAt("/");
  await screen.findByText(/^Log in to JobMon/);
  expect(screen.queryByRole("link", { name: "Log in" })).not.toBeInTheDocument();
  known = true;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByText("No workflows yet");
});

it("shows the server's sentence to those who may not", async () => {
  answer({
    "api/v2/server": () => ({ ...about, login: "oidc", user: ada }),
    "api/v2/workflows/7": () => new ApiError("forbidden", "Ask ops for it.", 403),
  });
  renderAt("/workflows/7");
  expect(await screen.findByRole("alert")).toHaveTextContent("Ask ops for it.");
  expect(screen.queryByRole("link", { name: "Log in" })).not.toBeInTheDocument();
});

it.each([
  ["unavailable", "does not answer"],
  ["forbidden", "no verified e-mail address"],
  ["too_large", "more groups"],
  ["invalid", "10 minutes"],
  ["unauthenticated", "has not let you in"],
  ["internal", "its log says why"],
  ["<script>", "its log says why"],
])("tells a login that failed as %s in words", async (reason, words) => {
  answer({ "api/v2/server": () => ({ ...about, login: "oidc", user: null }) });
  renderAt(`/login?${new URLSearchParams({ reason, return_to: "/workflows/7?range=24h" })}`);
  await inPage().findByText(new RegExp(words));
  expect(await inPage().findByRole("link", { name: "Log in" })).toHaveAttribute(
    "href",
    "/api/auth/oidc/login?return_to=%2Fworkflows%2F7%3Frange%3D24h",
  );
});

it("has nothing of it where nobody is asked who they are", async () => {
  answer({
    "api/v2/server": () => ({ ...about, login: "none", user: null }),
    "api/v2/workflows": () => ({ workflows: [], next_cursor: null }),
  });
  renderAt("/");
  await screen.findByText("No workflows yet");
  expect(screen.queryByText(/log in|logged in/i)).not.toBeInTheDocument();
  expect(screen.queryByRole("button", { name: /^Logged in/ })).not.toBeInTheDocument();
});

it("says why one could not be logged out", async () => {
  answer({
    "api/v2/server": () => ({ ...about, login: "oidc", user: { ...ada, name: "", full_name: "" } }),
    "api/v2/workflows": () => new ApiError("forbidden", "The user is malformed.", 403),
  });
  vi.mocked(postJSON).mockRejectedValue(new ApiError("network", "The server does not answer."));
  renderAt("/");
  await userEvent.click(await screen.findByRole("button", { name: "Logged in as Unknown user" }));
  const menu = screen.getByRole("dialog", { name: "Unknown user" });
  await userEvent.click(within(menu).getByRole("button", { name: "Log out" }));
  expect(await within(menu).findByRole("alert")).toHaveTextContent("The server does not answer.");
});
