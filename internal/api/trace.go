package api

import (
	"net/http"
	"regexp"
	"strings"
)

// traceparent is the header of the W3C's trace context in its version 00: the ids of the trace and of the span that
// asks, and flags.
var traceparent = regexp.MustCompile(`^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$`)

// traceID returns the id of the trace that a request belongs to, or nothing. Nothing else of the header is kept:
// anybody may write anything into it.
func traceID(r *http.Request) string {
	values := r.Header.Values("Traceparent")
	if len(values) != 1 {
		return ""
	}
	ids := traceparent.FindStringSubmatch(values[0])
	// An id of zeros stands for none.
	if ids == nil || strings.Trim(ids[1], "0") == "" || strings.Trim(ids[2], "0") == "" {
		return ""
	}
	return ids[1]
}
