// Package tracing follows a request through the server, as OpenTelemetry has it: spans, which are what the parts of it
// took, of a trace, which its caller may have begun. Where traces are sent to is told by OpenTelemetry's own
// environment variables; as long as they name no place, nothing is recorded, and a span is nil.
package tracing
