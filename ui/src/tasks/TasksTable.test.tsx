import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { expect, it, vi } from "vitest";
import { newQueryClient } from "../queryClient";
import { answer, requests } from "../test/api";
import { newTaskAt, newTaskAtList } from "../test/factories/tasks";
import { TasksTable } from "./TasksTable";

vi.mock("../api/client", async (original) => ({ ...(await original<object>()), getJSON: vi.fn() }));

const path = "api/v2/workflow/1/tasks";

it("keeps its page itself where nobody else does, and begins anew with another list", async () => {
  answer({
    [path]: ({ cursor }) =>
      newTaskAtList([newTaskAt({ name: cursor === undefined ? "first" : "second" })], {
        next_cursor: "c2",
      }),
  });
  const client = newQueryClient();
  const table = (at: string) => (
    <QueryClientProvider client={client}>
      <MemoryRouter>
        <TasksTable workflowId={1} at={at} statuses={["ACTIVE"]} templates={["align"]} />
      </MemoryRouter>
    </QueryClientProvider>
  );
  const { rerender } = render(table("2022-05-13T03:24:00Z"));
  await userEvent.click(await screen.findByRole("button", { name: "Next page" }));
  expect(await screen.findByRole("link", { name: "second" })).toBeVisible();
  rerender(table("2022-05-13T03:25:00Z"));
  expect(await screen.findByRole("link", { name: "first" })).toBeVisible();
  expect(requests(path).at(-1)).toEqual({
    status: ["ACTIVE"],
    task_template_name: ["align"],
    at: "2022-05-13T03:25:00Z",
  });
});
