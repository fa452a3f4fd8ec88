import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, getJSON, putJSON } from "./client";

let server: Server | null = null;

afterEach(() => {
  server?.close();
  server = null;
});

/** A server that answers once and for all, and the URL of a path on it. */
async function answering(
  status: number,
  body: string,
  type = "application/json",
  more: Record<string, string> = {},
) {
  const seen: string[] = [];
  const traces: unknown[] = [];
  const created = createServer((request, response) => {
    // A browser asks first whether it may send this to another origin.
    const preflight = request.method === "OPTIONS";
    let sent = "";
    request.on("data", (part: Buffer) => (sent += part.toString()));
    request.on("end", () => {
      if (!preflight) {
        seen.push([request.url, sent].filter(Boolean).join(" "));
        traces.push(request.headers.traceparent);
      }
      response.writeHead(preflight ? 204 : status, {
        "content-type": type,
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "content-type, traceparent",
        "access-control-expose-headers": "retry-after",
        ...more,
      });
      response.end(preflight ? undefined : body);
    });
  });
  server = created;
  await new Promise<void>((resolve) => created.listen(0, "127.0.0.1", resolve));
  const { port } = created.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/x`, seen, traces };
}

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error(`not an ApiError: ${String(error)}`);
  return error;
}

describe("getJSON", () => {
  it("hands on what the API answers, and repeats parameters as the API reads them", async () => {
    const { url, seen } = await answering(200, '{"a":[1]}');
    await expect(getJSON(url, { status: ["R", "O"], skip: undefined })).resolves.toEqual({
      a: [1],
    });
    expect(seen).toEqual(["/x?status=R&status=O"]);
  });

  it.each([
    ["a page", "<!doctype html><p>Welcome"],
    ["a number", "7"],
    ["nothing", ""],
    ["half of an object", '{"a":'],
  ])("refuses a 200 that is %s", async (_, body) => {
    const { url } = await answering(200, body);
    expect(await failure(getJSON(url))).toMatchObject({
      code: "format",
      status: 200,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
  });

  it("carries the server's code, message and field", async () => {
    const body = { error: { code: "invalid", message: "Use 1m.", field: "granularity" } };
    const { url } = await answering(400, JSON.stringify(body));
    const error = await failure(getJSON(url));
    expect(error).toMatchObject({
      code: "invalid",
      message: "Use 1m.",
      status: 400,
      field: "granularity",
    });
    expect(error.transient).toBe(false);
  });

  it("tells how long the server wants not to be asked", async () => {
    const body = { error: { code: "too_many_requests", message: "Too often.", field: null } };
    const { url } = await answering(429, JSON.stringify(body), "application/json", {
      "Retry-After": "3",
    });
    const error = await failure(getJSON(url));
    expect(error).toMatchObject({ message: "Too often.", status: 429, retryAfterMs: 3_000 });
    expect(error.transient).toBe(true);
  });

  it.each([
    [502, "unavailable", true],
    [503, "unavailable", true],
    [500, "format", false],
    [404, "format", false],
  ])("knows status %s without a reason as %s", async (status, code, transient) => {
    const { url } = await answering(status, "<h1>Bad</h1>", "text/html");
    const error = await failure(getJSON(url));
    expect(error).toMatchObject({ code, status });
    expect(error.transient).toBe(transient);
  });

  it("sends each request with a trace of its own, and tells it with a failure", async () => {
    const { url, traces } = await answering(500, "{}");
    const failures = [await failure(getJSON(url)), await failure(getJSON(url))];
    failures.forEach(({ traceId }, i) => {
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(traces[i]).toMatch(new RegExp(`^00-${traceId ?? ""}-[0-9a-f]{16}-01$`));
    });
    expect(failures[1].traceId).not.toBe(failures[0].traceId);
  });

  it("says that no answer came", async () => {
    // jsdom tells it on the console too.
    vi.spyOn(console, "error").mockReturnValue(undefined);
    const { url } = await answering(200, "{}");
    server?.close();
    server?.closeAllConnections();
    const error = await failure(getJSON(url));
    expect(error).toMatchObject({ code: "network", status: null });
    expect(error.transient).toBe(true);
  });
});

describe("putJSON", () => {
  it("sends an object and hands on the answer", async () => {
    const { url, seen } = await answering(200, '{"message":"done"}');
    await expect(putJSON(url, { task_ids: [1] })).resolves.toEqual({ message: "done" });
    expect(seen).toEqual(['/x {"task_ids":[1]}']);
  });

  it("carries the server's refusal", async () => {
    const body = { error: { code: "conflict", message: "Stop it first.", field: null } };
    const { url } = await answering(409, JSON.stringify(body));
    expect(await failure(putJSON(url, {}))).toMatchObject({
      code: "conflict",
      message: "Stop it first.",
    });
  });
});
