package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestCompare: two runs that began days apart lie on each other.
func TestCompare(t *testing.T) {
	f := newFixture(t)
	later := noon.Add(49*time.Hour + 17*time.Second)
	first := f.load("first", ran("a", "load", noon, noon.Add(3*time.Minute)), ran("b", "only here", noon, noon.Add(time.Minute)))
	second := f.load("second", ran("a", "load", later, later.Add(2*time.Minute)))
	type comparison struct {
		Workflows []struct {
			Name              string
			FirstTransitionAt time.Time `json:"first_transition_at"`
			LeadSeconds       float64   `json:"lead_seconds"`
			Concurrency       struct {
				WorkflowID int64 `json:"workflow_id"`
				Bucket     struct {
					Seconds, Count int
					First          time.Time
				}
				Series []struct {
					TaskTemplateName string `json:"task_template_name"`
					Values           []float64
				}
				Total struct{ Values []float64 }
			}
		}
	}
	get := func(query string) (c comparison) {
		t.Helper()
		got := f.send("GET", fmt.Sprintf("/api/v2/workflow/%d/compare?with=%d&stat=mean%s", first, second, query), "")
		got.ok()
		if err := json.Unmarshal(got.body, &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	both := get("&granularity=1m")
	a, b := both.Workflows[0], both.Workflows[1]
	if a.Name != "first" || b.Name != "second" || !b.FirstTransitionAt.Equal(later) || a.LeadSeconds != 0 || b.LeadSeconds != 17 ||
		!b.Concurrency.Bucket.First.Equal(later.Truncate(time.Minute)) || b.Concurrency.WorkflowID != second {
		t.Errorf("%+v", both)
	}
	// Both until the longer one has ended: three minutes and the instant of its end.
	if got := fmt.Sprint(a.Concurrency.Total.Values, b.Concurrency.Total.Values); got != "[2 1 1 0] [0.72 1 0.28 0]" {
		t.Errorf("totals %s", got)
	}
	if got := get("&granularity=30s&offset_seconds=60&duration_seconds=60"); fmt.Sprint(
		got.Workflows[0].Concurrency.Total.Values, got.Workflows[1].Concurrency.Total.Values) != "[1 1] [1 1 0.57]" {
		t.Errorf("a minute later: %+v", got)
	}
	auto := get("&max_points=100")
	if one, other := auto.Workflows[0].Concurrency.Bucket, auto.Workflows[1].Concurrency.Bucket; one.Seconds != 5 || other.Seconds != 5 {
		t.Errorf("auto chose %d s and %d s", one.Seconds, other.Seconds)
	}
	filtered := get("&granularity=1m&task_template_name=load&task_template_name=only+here").Workflows
	if len(filtered[0].Concurrency.Series) != 2 || len(filtered[1].Concurrency.Series) != 1 {
		t.Errorf("%+v", filtered)
	}
	for query, field := range map[string]string{
		"": "with", "?with=0": "with", "?with=x": "with", "?with=999999": "with",
		fmt.Sprintf("?with=%d&task_template_name=only+here", second):           "task_template_name",
		fmt.Sprintf("?with=%d&offset_seconds=-1", second):                      "offset_seconds",
		fmt.Sprintf("?with=%d&duration_seconds=1e9", second):                   "duration_seconds",
		fmt.Sprintf("?with=%d&granularity=1s&max_points=0", second):            "max_points",
		fmt.Sprintf("?with=%d&granularity=1s&duration_seconds=100000", second): "granularity",
	} {
		got := f.send("GET", fmt.Sprintf("/api/v2/workflow/%d/compare%s", first, query), "").refused(400, "invalid")
		if got.Field == nil || *got.Field != field {
			t.Errorf("%s: %+v, %v", query, got, strings.TrimSpace(got.Message))
		}
	}
	f.send("GET", fmt.Sprintf("/api/v2/workflow/999999/compare?with=%d", first), "").refused(404, "not_found")
}
