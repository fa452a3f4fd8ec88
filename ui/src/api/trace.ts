/** W3C trace context: what ties a failure that a person sees to the line in the server's log. */

/** A `traceparent` with a trace of its own, as for a client that no tracer runs in. */
export function newTraceparent(): string {
  return `00-${randomHex(16)}-${randomHex(8)}-01`;
}

/** The trace id of a `traceparent`; null where there is none. */
export function traceIdOf(traceparent: unknown): string | null {
  if (typeof traceparent !== "string") return null;
  return /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(traceparent)?.[1] ?? null;
}

/** Two digits a byte. All zeros would be no id: of 8 bytes, that comes up once in 10^19. */
function randomHex(bytes: number): string {
  const values = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(values, (value) => value.toString(16).padStart(2, "0")).join("");
}
