package api_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"tasktide/internal/api"
	"tasktide/internal/jobmon"
)

func TestReady(t *testing.T) {
	var failed error
	f := newFixture(t, func(c *api.Config) { c.Ready = func(context.Context) error { return failed } })
	f.send("GET", "/readyz", "").is(`{"status": "ready"}`)
	failed = &jobmon.Error{Code: jobmon.CodeUnavailable, Field: "roll_up", Message: "it is behind"}
	got := f.send("GET", "/readyz", "").refused(503, "unavailable")
	if got.Field == nil || *got.Field != "roll_up" || got.Message != "it is behind" {
		t.Errorf("%+v", got)
	}
	f.send("GET", "/healthz", "").is(`{"status": "ok"}`)
}

func TestMetricsAreServedAsTheyAre(t *testing.T) {
	newFixture(t).send("GET", "/metrics", "").refused(404, "not_found")
	f := newFixture(t, func(c *api.Config) {
		c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") })
	})
	f.check([]refusal{{"GET", "/metrics?name=up", "", 400, "invalid", "name", "name"}})
	response, err := http.Get(f.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); string(body) != "up 1\n" || err != nil || response.StatusCode != 200 {
		t.Errorf("%d %q %v", response.StatusCode, body, err)
	}
}

// Whatever is asked for, the labels are of those that there are.
func TestWhatIsObservedIsBounded(t *testing.T) {
	heard := make(chan api.Answered, 1)
	f := newFixture(t, func(c *api.Config) {
		c.Observe = func(a api.Answered) { heard <- a }
		c.Health = func(context.Context) (api.Health, error) { panic("a defect") }
		c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "cut")
			panic(http.ErrAbortHandler)
		})
		c.UI = http.NotFoundHandler()
	})
	for _, c := range []struct {
		method, path string
		want         api.Answered
	}{
		{"GET", "/healthz", api.Answered{Route: "/healthz", Method: "GET", Status: "2xx"}},
		{"GET", "/api/v2/workflows/4711", api.Answered{Route: "/api/v2/workflows/{workflow_id}", Method: "GET", Status: "4xx"}},
		{"GET", "/api/v2/workflow/x/tasks?y=1", api.Answered{Route: "/api/v2/workflow/{workflow_id}/tasks", Method: "GET", Status: "4xx"}},
		{"POST", "/api/v3/tool", api.Answered{Route: "/api/v3/tool", Method: "POST", Status: "4xx"}},
		{"GET", "/api/v2/health", api.Answered{Route: "/api/v2/health", Method: "GET", Status: "5xx"}},
		{"GET", "/metrics", api.Answered{Route: "/metrics", Method: "GET", Status: "aborted"}},
		{"GET", "/workflows/12", api.Answered{Route: "other", Method: "GET", Status: "4xx"}},
		{"GET", "/api/nowhere", api.Answered{Route: "other", Method: "GET", Status: "4xx"}},
		{"BREW", "/healthz", api.Answered{Route: "other", Method: "other", Status: "4xx"}},
	} {
		func() {
			defer func() { _ = recover() }() // as the server does with what is cut off
			f.mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(c.method, c.path, http.NoBody))
		}()
		got := <-heard
		if c.want.Took = got.Took; got != c.want || got.Took <= 0 {
			t.Errorf("%s %s: %+v", c.method, c.path, got)
		}
	}
}
