import { vi } from "vitest";
import { ApiError, getJSON, putJSON, type QueryParameters } from "../api/client";

/**
 * What the API answers to a path, as a value or an error to throw. Tests that use it begin with
 * vi.mock("../api/client", ...) that puts a vi.fn() in getJSON's place.
 */
export type Answers = Partial<Record<string, (params: QueryParameters) => object>>;

export function answer(answers: Answers) {
  vi.mocked(getJSON).mockImplementation((path, params = {}) => {
    const found = answers[path];
    return new Promise((resolve, reject) => {
      if (found === undefined) {
        reject(new ApiError("not_found", `There is no ${path}.`, 404));
        return;
      }
      const value = found(params);
      if (value instanceof Error) reject(value);
      else resolve(value);
    });
  });
}

/** The parameters of every request to a path, in order. */
export function requests(path: string): QueryParameters[] {
  return vi
    .mocked(getJSON)
    .mock.calls.filter(([called]) => called === path)
    .map(([, params = {}]) => params);
}

/** What the API answers to every PUT, where putJSON is a vi.fn() too. */
export function answerPuts(answer: () => object) {
  vi.mocked(putJSON).mockImplementation(() => {
    const value = answer();
    return value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
  });
}

/** The path and the body of every PUT, in order. */
export function puts(): [path: string, body: object][] {
  return vi.mocked(putJSON).mock.calls;
}
