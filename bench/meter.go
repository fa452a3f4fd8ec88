package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// meter passes requests on and notes how long it takes until the whole answer is there. Clients share one.
type meter struct {
	next http.RoundTripper

	mu       sync.Mutex
	took     []time.Duration
	slowest  string // the request of the longest of them
	most     time.Duration
	failed   int
	failures []string // the first of them
}

// listedFailures is how many failed answers are printed.
const listedFailures = 5

// RoundTrip is one request. An answer of any other status than 200 has failed, though the client may ask again.
func (m *meter) RoundTrip(request *http.Request) (*http.Response, error) {
	begun := time.Now()
	response, err := m.next.RoundTrip(request)
	var body []byte
	if err == nil {
		body, err = io.ReadAll(response.Body)
		_ = response.Body.Close() // it has been read to its end, or failed before
		response.Body = io.NopCloser(bytes.NewReader(body))
	}
	took := time.Since(begun)
	name := request.Method + " " + request.URL.Path

	m.mu.Lock()
	defer m.mu.Unlock()
	m.took = append(m.took, took)
	if took > m.most {
		m.most, m.slowest = took, name
	}
	switch {
	case err != nil:
		m.fail(fmt.Sprintf("%s: after %s: %v", name, took.Round(time.Millisecond), err))
		return nil, err
	case response.StatusCode != http.StatusOK:
		m.fail(fmt.Sprintf("%s: after %s: %s: %.300s", name, took.Round(time.Millisecond), response.Status, body))
	}
	return response, nil
}

func (m *meter) fail(what string) {
	m.failed++
	if len(m.failures) < listedFailures {
		m.failures = append(m.failures, what)
	}
}

// latencies are those of one kind of requests.
type latencies struct {
	requests, failed      int
	median, of99, slowest time.Duration
	perSecond             float64
}

// sum returns the latencies of all requests, which were sent in a time.
func (m *meter) sum(within time.Duration) latencies {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := latencies{requests: len(m.took), failed: m.failed, slowest: m.most}
	if l.requests > 0 {
		sorted := slices.Sorted(slices.Values(m.took))
		l.median, l.of99 = sorted[len(sorted)/2], sorted[len(sorted)*99/100]
		l.perSecond = float64(l.requests) / within.Seconds()
	}
	return l
}
