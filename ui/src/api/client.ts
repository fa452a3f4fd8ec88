import axios, { AxiosError, type AxiosRequestConfig } from "axios";
import { basePath } from "../basePath";
import { newTraceparent, traceIdOf } from "./trace";
import type { ErrorAnswer, ErrorCode } from "./types";

/**
 * Every way in which a request can fail: with the server's own code, or with
 * "network" (no answer came) or "format" (the answer is not what the API sends,
 * as when a proxy answers a page of its own with status 200).
 */
export type FailureCode = ErrorCode | "network" | "format";

export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly code: FailureCode,
    message: string,
    readonly status: number | null = null,
    readonly field: string | null = null,
    /** Finds the request in the server's log; null where none was sent. */
    readonly traceId: string | null = null,
    /** How long the server wants not to be asked again, in milliseconds. */
    readonly retryAfterMs = 0,
  ) {
    super(message);
  }

  /** Whether the same request may succeed later. */
  get transient(): boolean {
    return ["network", "unavailable", "busy", "too_many_requests", "contention"].includes(
      this.code,
    );
  }
}

export type QueryParameters = Record<
  string,
  string | number | boolean | readonly string[] | undefined
>;

/** The one place that knows where the API is. */
const http = axios.create({
  baseURL: basePath,
  timeout: 60_000,
  // Left to itself, axios hands on a body that is not JSON as a string.
  responseType: "text",
  transformResponse: (body: unknown) => body,
  // Repeatable parameters are sent as status=R&status=O, not status[]=R.
  paramsSerializer: { indexes: null },
});

// Each request is a trace of its own.
http.interceptors.request.use((config) => {
  config.headers.set("traceparent", newTraceparent());
  return config;
});

/** GETs a JSON object; rejects with an ApiError and nothing else. Cancelling rejects with axios' own. */
export function getJSON<T extends object>(
  path: string,
  params: QueryParameters = {},
  signal?: AbortSignal,
): Promise<T> {
  return send({ url: path, params, ...(signal && { signal }) });
}

/** PUTs a JSON object, and gets one; rejects as getJSON does. */
export function putJSON<T extends object>(path: string, body: object): Promise<T> {
  return sendJSON("put", path, body);
}

/** POSTs a JSON object, and gets one; rejects as getJSON does. */
export function postJSON<T extends object>(path: string, body: object): Promise<T> {
  return sendJSON("post", path, body);
}

function sendJSON<T extends object>(method: string, path: string, body: object): Promise<T> {
  const headers = { "Content-Type": "application/json" };
  return send({ method, url: path, data: JSON.stringify(body), headers });
}

async function send<T extends object>(request: AxiosRequestConfig): Promise<T> {
  try {
    const answer = await http.request<string>(request);
    const body = parseObject(answer.data);
    if (body === null) {
      throw new ApiError(
        "format",
        "The answer is not the API's. Is something between this page and the server?",
        answer.status,
        null,
        traceIdOf(answer.config.headers.get("traceparent")),
      );
    }
    return body as T;
  } catch (error) {
    if (axios.isCancel(error) || error instanceof ApiError) throw error;
    throw toApiError(error);
  }
}

function toApiError(error: unknown): ApiError {
  const sent = error instanceof AxiosError ? error.config : undefined;
  const traceId = traceIdOf(sent?.headers.get("traceparent"));
  if (!(error instanceof AxiosError) || error.response === undefined) {
    return new ApiError(
      "network",
      "The server does not answer. Check that it runs and that you are connected to it.",
      null,
      null,
      traceId,
    );
  }
  const { status } = error.response;
  const body = parseObject(error.response.data);
  if (body !== null && isErrorAnswer(body)) {
    const { code, message, field, trace_id } = body.error;
    const after = Number(error.response.headers["retry-after"] ?? 0);
    return new ApiError(code, message, status, field, trace_id || traceId, after * 1000);
  }
  const code = status === 502 || status === 503 || status === 504 ? "unavailable" : "format";
  const message = `The server answered with status ${status} and no reason.`;
  return new ApiError(code, message, status, null, traceId);
}

function parseObject(text: unknown): object | null {
  if (typeof text !== "string") return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
}

function isErrorAnswer(body: object): body is ErrorAnswer {
  if (!("error" in body) || typeof body.error !== "object" || body.error === null) return false;
  const error: object = body.error;
  return (
    "code" in error &&
    typeof error.code === "string" &&
    "message" in error &&
    typeof error.message === "string"
  );
}
