// Package metrics tells Prometheus how a server is. What is counted elsewhere is read when it asks; only the
// requests are counted here.
package metrics

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tasktide/internal/api"
	"tasktide/internal/cache"
	"tasktide/internal/jobmon"
	"tasktide/internal/store/sqlstore"
)

const (
	// scrapesAtOnce bounds what a scrape asks of the database, and askWithin how long it waits for that:
	// Prometheus waits for 10 seconds.
	scrapesAtOnce = 2
	askWithin     = 8 * time.Second
)

// Source is what is told of.
type Source struct {
	Version  string
	Database *sqlstore.Store
	// Health tells how upkeep is. On an error, what it returns is what needs no database.
	Health func(ctx context.Context) (api.Health, error)
	Usage  *api.Usage
	// Answers tells of the cache. nil when there is none.
	Answers func() cache.Stats
}

// Metrics is a registry of its own, and what is in it.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	refused  *prometheus.CounterVec
}

// New returns the metrics of a source. It panics when two have the same name.
func New(source Source) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tasktide_http_request_duration_seconds",
			Help:    "How long requests took, by the route's pattern, the method and the class of the status.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "method", "status"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tasktide_http_requests_refused_total",
			Help: "Requests that were refused because of too many others, or because their caller asks too often, by the error's code.",
		}, []string{"code"}),
	}
	for _, code := range []jobmon.Code{jobmon.CodeBusy, jobmon.CodeTooManyRequests} {
		m.refused.WithLabelValues(string(code)) // an alert looks for what is counted from the start
	}
	m.registry.MustRegister(m.requests, m.refused, newCollector(source),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe counts a request.
func (m *Metrics) Observe(a api.Answered) {
	m.requests.WithLabelValues(a.Route, a.Method, a.Status).Observe(a.Took.Seconds())
}

// Refused counts a request that was refused for a reason of load.
func (m *Metrics) Refused(code jobmon.Code) { m.refused.WithLabelValues(string(code)).Inc() }

// Handler answers a scrape. What asks while two others do gets a 503.
func (m *Metrics) Handler() http.Handler {
	// The interface compresses by itself.
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: scrapesAtOnce, DisableCompression: true})
}
