package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tasktide/internal/tracing"
)

// BenchmarkTracing measures what spans cost a request that asks the database for little: where nobody records them,
// as a ratio of the same request for which all that is done once more, and where they are recorded and thrown away, as
// a ratio of one for which they are not. The kinds take turns, and medians are compared.
func BenchmarkTracing(b *testing.B) {
	f := newFixture(b)
	path := fmt.Sprintf("/api/v2/workflows/%d", f.bind("traced", 1).workflow)
	provider := trace.NewTracerProvider(trace.WithBatcher(tracetest.NewNoopExporter()))
	kinds := []struct {
		name  string
		serve func(w http.ResponseWriter, r *http.Request)
		took  []time.Duration
	}{
		{name: "off", serve: f.mux.ServeHTTP},
		{name: "off-twice", serve: func(w http.ResponseWriter, r *http.Request) {
			ctx, span := tracing.Serve(r.Context(), r.Header)
			ctx, read := tracing.Start(ctx, "store read")
			read.End(nil)
			span.End(nil)
			f.mux.ServeHTTP(w, r.WithContext(ctx))
		}},
		{name: "on", serve: func(w http.ResponseWriter, r *http.Request) {
			f.mux.ServeHTTP(w, r.WithContext(tracing.NewContext(r.Context(), provider)))
		}},
	}
	turn := 0
	for b.Loop() {
		for i := range kinds {
			kind := &kinds[(turn+i)%len(kinds)] // nobody is always first
			r, w := httptest.NewRequest(http.MethodGet, path, http.NoBody), httptest.NewRecorder()
			r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
			begun := time.Now()
			kind.serve(w, r)
			kind.took = append(kind.took, time.Since(begun))
			if w.Code != http.StatusOK {
				b.Fatalf("%s: %d %s", kind.name, w.Code, w.Body)
			}
		}
		turn++
	}
	median := func(kind int) float64 {
		took := kinds[kind].took
		slices.Sort(took)
		return float64(took[len(took)/2].Nanoseconds())
	}
	b.ReportMetric(median(0), "ns/off")
	b.ReportMetric(median(1)/median(0), "twice/off")
	b.ReportMetric(median(2)/median(0), "on/off")
}
