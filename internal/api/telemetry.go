package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
)

// Bounds of what a page tells at once.
const (
	maxTelemetryBytes   = 4 << 10
	maxTelemetryEntries = 100
	maxFilters          = 50
	maxRenderMillis     = 600_000
)

// telemetryRequest is what a page tells of how it is used since it last did.
type telemetryRequest struct {
	Renders *few[renderMillis] `body:"renders_ms"`
	Exports *few[exportKind]   `body:"exports"`
	Visit   *visit             `body:"visit"`
}

// few is a list of entries.
type few[T any] []T

func (f *few[T]) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, (*[]T)(f)); err != nil {
		return err
	}
	return checkLength(len(*f), maxTelemetryEntries)
}

// renderMillis is how long a chart took, from the answer with its numbers to its being drawn, in milliseconds.
type renderMillis int64

func (m *renderMillis) UnmarshalJSON(data []byte) error {
	return wholeUpTo(maxRenderMillis, data, (*int64)(m))
}

// filterCount is how many filters were active.
type filterCount int64

func (c *filterCount) UnmarshalJSON(data []byte) error {
	return wholeUpTo(maxFilters, data, (*int64)(c))
}

func wholeUpTo(most int64, data []byte, value *int64) error {
	n, err := strconv.ParseInt(string(data), 10, 64)
	if err != nil || n < 0 || n > most {
		return jobmon.Errorf(jobmon.CodeInvalid, "a whole number from 0 to %d is expected, not %s", most, excerpt(data))
	}
	*value = n
	return nil
}

// exportKind is the kind of a file that was made of a chart.
type exportKind string

var exportKinds = []exportKind{"png", "svg", "csv"}

func (k *exportKind) UnmarshalJSON(data []byte) error {
	names := make([]string, len(exportKinds))
	for i, kind := range exportKinds {
		if names[i] = string(kind); string(data) == `"`+names[i]+`"` {
			*k = kind
			return nil
		}
	}
	return jobmon.Errorf(jobmon.CodeInvalid, "one of %s is expected, not %s", strings.Join(names, ", "), excerpt(data))
}

// visit is one load of the page, with the most filters that were active at once so far. When they become more
// after that was told, it is told again with what was told before.
type visit struct {
	Filters  filterCount  `body:"filters"`
	Replaces *filterCount `body:"replaces"`
}

func (v *visit) UnmarshalJSON(data []byte) error {
	if err := decodeMembers(data, reflect.ValueOf(v).Elem(), strictQuery); err != nil {
		return err
	}
	if v.Replaces != nil && *v.Replaces >= v.Filters {
		return jobmon.FieldErrorf("replaces", "replaces must be less than filters, not %d", *v.Replaces)
	}
	return nil
}

// Usage adds up what pages tell, since the server began. It holds counts of a fixed size, and nothing of whom
// they come from.
type Usage struct {
	mu      sync.Mutex
	since   time.Time
	visits  [maxFilters + 1]int64 // by their filters
	renders concurrency.Lengths
	millis  int64 // of all renders
	exports map[exportKind]int64
}

// NewUsage returns one that has been told nothing.
func NewUsage() *Usage {
	return &Usage{since: time.Now(), exports: map[exportKind]int64{}}
}

func (u *Usage) add(told telemetryRequest) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if told.Renders != nil {
		for _, took := range *told.Renders {
			u.renders.AddLength(int64(took) * 1000)
			u.millis += int64(took)
		}
	}
	if told.Exports != nil {
		for _, kind := range *told.Exports {
			u.exports[kind]++
		}
	}
	if told.Visit != nil {
		// A server that began within a visit has not been told what is replaced.
		if before := told.Visit.Replaces; before != nil && u.visits[*before] > 0 {
			u.visits[*before]--
		}
		u.visits[told.Visit.Filters]++
	}
}

// Telemetry is what the server has been told since it began.
type Telemetry struct {
	Enabled bool                   `json:"enabled"`
	Since   instant                `json:"since"`
	Visits  int64                  `json:"visits"`
	Render  RenderTimes            `json:"render_ms"`
	Filters *float64               `json:"filters_median"` // null before the first visit
	Exports map[exportKind]Exports `json:"exports"`
}

// RenderTimes are milliseconds, and their quantiles, null before the first chart.
type RenderTimes struct {
	Count int64    `json:"count"`
	Total int64    `json:"-"` // of all of them
	P50   *float64 `json:"p50"`
	P90   *float64 `json:"p90"`
	P99   *float64 `json:"p99"`
}

// Exports tells of the exports of one kind.
type Exports struct {
	Count    int64    `json:"count"`
	PerVisit *float64 `json:"per_visit"` // null before the first visit
}

// Told returns what was told up to now, of a server that listens to pages or does not.
func (u *Usage) Told(enabled bool) Telemetry {
	u.mu.Lock()
	defer u.mu.Unlock()
	answer := Telemetry{
		Enabled: enabled, Since: instant(u.since.UnixMicro()), Exports: map[exportKind]Exports{},
		Render: RenderTimes{Count: u.renders.Count(), Total: u.millis, P50: u.render(0.5), P90: u.render(0.9), P99: u.render(0.99)},
	}
	for _, n := range u.visits {
		answer.Visits += n
	}
	for _, kind := range exportKinds {
		exports := Exports{Count: u.exports[kind]}
		if answer.Visits > 0 {
			rate := float64(exports.Count) / float64(answer.Visits)
			exports.PerVisit = &rate
		}
		answer.Exports[kind] = exports
	}
	if answer.Visits > 0 {
		// Of an even number of visits, the median is the middle of the two that lie there.
		median := float64(u.filters((answer.Visits+1)/2)+u.filters(answer.Visits/2+1)) / 2
		answer.Filters = &median
	}
	return answer
}

func (u *Usage) render(share float64) *float64 {
	micros, ok := u.renders.Quantile(share)
	if !ok {
		return nil
	}
	millis := float64(micros) / 1000
	return &millis
}

// filters returns those of the visit of a rank from 1 on, by their number.
func (u *Usage) filters(rank int64) int {
	for filters, n := range u.visits {
		if rank -= n; rank <= 0 {
			return filters
		}
	}
	return maxFilters
}

func (s *server) hearTelemetry(_ context.Context, told telemetryRequest) (noContent, error) {
	if s.Telemetry {
		s.Usage.add(told)
	}
	return noContent{}, nil
}

func (s *server) tellTelemetry(context.Context, none) (Telemetry, error) {
	return s.Usage.Told(s.Telemetry), nil
}

// bounded bounds the body of a request further than the others'.
func bounded(most int64) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, most)
			next.ServeHTTP(w, r)
		})
	}
}
