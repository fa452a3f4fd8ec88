package api_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"tasktide/internal/api"
)

// The trace that a failed request belongs to is in the log, and nothing else of what its header says.
func TestFailuresAreLoggedWithTheirTrace(t *testing.T) {
	f := newFixture(t, func(c *api.Config) {
		c.Health = func(context.Context) (api.Health, error) { return api.Health{}, errors.New("broken") }
	})
	const id, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for _, c := range []struct {
		header string
		known  bool
	}{
		{"00-" + id + "-" + span + "-01", true},
		{"00-" + id + "-" + span + "-00", true},
		{"", false},
		{"00-" + strings.ToUpper(id) + "-" + span + "-01", false},
		{"00-" + id[1:] + "-" + span + "-01", false},
		{"00-" + id + "0-" + span + "-01", false},
		{"00-" + id + "-" + span[1:] + "-01", false},
		{"00-" + id + "-" + span + "-1", false},
		{"00-" + id + "-" + span + "-01-x", false},
		{"ff-" + id + "-" + span + "-01", false},
		{"00-" + strings.Repeat("0", 32) + "-" + span + "-01", false},
		{"00-" + id + "-" + strings.Repeat("0", 16) + "-01", false},
		{"00-" + id[:31] + "g-" + span + "-01", false},
		{"00-" + id + "-" + span + "-01, forged", false},
	} {
		f.log.Reset()
		header := []string{"Traceparent", c.header}
		if c.header == "" {
			header = nil
		}
		answered := f.send("GET", "/api/v2/health", "", header...)
		answered.refused(500, "internal")
		if traced := strings.Contains(f.log.String(), "trace_id="+id+"\n"); traced != c.known {
			t.Errorf("%q: the log has %q", c.header, f.log)
		}
		if !c.known && strings.Contains(f.log.String(), "trace_id") || c.header != "" && strings.Contains(f.log.String(), span) {
			t.Errorf("%q: the log has more of it: %q", c.header, f.log)
		}
		if strings.Contains(string(answered.body), id) || answered.header.Get("Traceparent") != "" {
			t.Errorf("%q: the answer tells it: %s", c.header, answered.body)
		}
	}
}
