import { describe, expect, it } from "vitest";
import { newWorkflow } from "../test/factories/workflow";
import { choiceWords, parseTasksView, statusChoices, statusesOf, statusesWords } from "./filters";

const ended = newWorkflow();
const running = newWorkflow({ status: "R", status_name: "RUNNING", active: true });

function parse(query: string, workflow = ended) {
  return parseTasksView(new URLSearchParams(query), workflow);
}

describe("parseTasksView", () => {
  it("opens on what runs, and on everything where nothing does", () => {
    expect(parse("", running)).toEqual({ status: "R", templates: [], at: null });
    expect(parse("").status).toBe("ANY");
    expect(parse("at=2022-05-13T03:24:00Z").status).toBe("R");
  });

  it.each([
    ["status=F", "F"],
    ["status=ERROR_FATAL", "F"],
    ["status=pending", "PENDING"],
    ["status=ANY", "ANY"],
    ["status=X", "R"],
  ])("reads %s", (query, status) => {
    expect(parse(query, running).status).toBe(status);
  });

  it("keeps the templates and the instant as they are", () => {
    expect(parse("template=a&template=b%26c&at=soon")).toMatchObject({
      templates: ["a", "b&c"],
      at: "soon",
    });
  });
});

it("asks for the API's unions, and for all statuses one by one", () => {
  expect(statusesOf("ACTIVE")).toEqual(["ACTIVE"]);
  expect(statusesOf("ANY")).toHaveLength(9);
});

it("has words for every choice", () => {
  expect(new Set(statusChoices.map(choiceWords)).size).toBe(statusChoices.length);
});

it("says statuses as a person does", () => {
  expect(statusesWords(["R"])).toBe("running");
  expect(statusesWords(["Q", "I", "O"])).toBe("queued, instantiating or launched");
  expect(statusesWords(["G", "Q", "I", "O", "R", "D", "E", "A", "F"])).toBe("");
});
