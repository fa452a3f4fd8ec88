package api_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"tasktide/internal/api"
	"tasktide/internal/tracing"
)

// The trace that a failed request belongs to is in its answer and in the log, and nothing else of what its header says.
func TestFailuresTellTheirTrace(t *testing.T) {
	f := newFixture(t, func(c *api.Config) {
		c.Log = slog.New(tracing.Log(c.Log.Handler()))
		c.Health = func(context.Context) (api.Health, error) { return api.Health{}, errors.New("broken") }
	})
	const id, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	seen := map[string]bool{}
	for _, c := range []struct {
		headers []string
		known   bool
	}{
		{[]string{"00-" + id + "-" + span + "-01"}, true},
		{[]string{"00-" + id + "-" + span + "-00"}, true},
		{nil, false},
		{[]string{"00-" + strings.ToUpper(id) + "-" + span + "-01"}, false},
		{[]string{"00-" + id[1:] + "-" + span + "-01"}, false},
		{[]string{"00-" + id + "0-" + span + "-01"}, false},
		{[]string{"00-" + id + "-" + span[1:] + "-01"}, false},
		{[]string{"00-" + id + "-" + span + "-1"}, false},
		{[]string{"00-" + id + "-" + span + "-01-x"}, false},
		{[]string{"ff-" + id + "-" + span + "-01"}, false},
		{[]string{"00-" + strings.Repeat("0", 32) + "-" + span + "-01"}, false},
		{[]string{"00-" + id + "-" + strings.Repeat("0", 16) + "-01"}, false},
		{[]string{"00-" + id[:31] + "g-" + span + "-01"}, false},
		{[]string{"00-" + id + "-" + span + "-01, forged"}, false},
		{[]string{"00-" + id + "-" + span + "-01", "00-" + id + "-" + span + "-01"}, false},
	} {
		f.log.Reset()
		r := httptest.NewRequest(http.MethodGet, "/api/v2/health", http.NoBody)
		r.Header["Traceparent"] = c.headers
		w := httptest.NewRecorder()
		f.mux.ServeHTTP(w, r)
		told := regexp.MustCompile(`"trace_id":"([0-9a-f]{32})"`).FindStringSubmatch(w.Body.String())
		if w.Code != http.StatusInternalServerError || told == nil {
			t.Fatalf("%q: the answer is %d %s", c.headers, w.Code, w.Body)
		}
		if (told[1] == id) != c.known || seen[told[1]] && !c.known {
			t.Errorf("%q: the answer tells %s", c.headers, told[1])
		}
		seen[told[1]] = true
		if !strings.HasSuffix(f.log.String(), "trace_id="+told[1]+"\n") || strings.Contains(f.log.String(), span) {
			t.Errorf("%q: the log has %q", c.headers, f.log)
		}
	}
}

// recorded answers a request in a context that records spans, and returns these by name.
func (f *fixture) recorded(r *http.Request) (map[string]trace.ReadOnlySpan, *httptest.ResponseRecorder) {
	spans := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	w := httptest.NewRecorder()
	f.mux.ServeHTTP(w, r.WithContext(tracing.NewContext(r.Context(), provider)))
	if begun, ended := len(spans.Started()), len(spans.Ended()); begun != ended {
		f.t.Errorf("%d spans were begun, and %d ended", begun, ended)
	}
	named := map[string]trace.ReadOnlySpan{}
	for _, span := range spans.Ended() {
		named[span.Name()] = span
	}
	return named, w
}

// Each part of the work is a span within the one that has it done, up to what the caller has begun.
func TestSpans(t *testing.T) {
	f := newFixture(t)
	const id, caller = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	path := fmt.Sprintf(inColumns, f.threeMinutes())
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	r.Header.Set("Traceparent", "00-"+id+"-"+caller+"-01")
	spans, answer := f.recorded(r)
	const route = "GET /api/v2/workflow/{workflow_id}/task_concurrency"
	within := map[string]string{"store read": route, "SELECT": "store read", "COMMIT": "store read", "count": "store read", "encode": route}
	for name, outer := range within {
		if spans[name] == nil || spans[outer] == nil {
			t.Fatalf("%q or %q is missing in %v, after %d %s", name, outer, slices.Collect(maps.Keys(spans)), answer.Code, answer.Body)
		}
		if spans[name].Parent().SpanID() != spans[outer].SpanContext().SpanID() || spans[name].SpanContext().TraceID().String() != id {
			t.Errorf("%q is not within %q, in trace %s", name, outer, id)
		}
	}
	server := spans[route]
	if server.Parent().SpanID().String() != caller || server.SpanKind() != oteltrace.SpanKindServer {
		t.Errorf("the span of the request is a %s within %s", server.SpanKind(), server.Parent().SpanID())
	}
	if !slices.Contains(server.Attributes(), attribute.Int("http.response.status_code", http.StatusOK)) {
		t.Errorf("it tells %v", server.Attributes())
	}

	// A caller that does not want to be recorded is not; neither what it asks for nor its mistakes are told.
	r.Header.Set("Traceparent", "00-"+id+"-"+caller+"-00")
	if spans, _ := f.recorded(r); len(spans) > 0 {
		t.Errorf("there are spans: %v", spans)
	}
	spans, answer = f.recorded(httptest.NewRequest(http.MethodGet, "/api/v2/workflows?search=hush&hush=1", http.NoBody))
	server = spans["GET /api/v2/workflows"]
	if server == nil || !strings.Contains(answer.Body.String(), server.SpanContext().TraceID().String()) {
		t.Fatalf("%v do not tell of %s", spans, answer.Body)
	}
	if told := fmt.Sprint(server.Attributes(), server.Status()); answer.Code != 400 || strings.Contains(told, "hush") {
		t.Errorf("%d: the span tells %s", answer.Code, told)
	}
}
