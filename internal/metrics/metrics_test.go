package metrics_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tasktide/internal/api"
	"tasktide/internal/cache"
	"tasktide/internal/jobmon"
	"tasktide/internal/metrics"
	"tasktide/internal/store/testdb"
)

func TestMain(m *testing.M) { os.Exit(testdb.Main(m)) }

// exported is every metric of ours. Alerts and dashboards of others are written against these names: they stay.
var exported = strings.Fields(`
	tasktide_audit_rows_total counter
	tasktide_build_info gauge
	tasktide_cache_bytes gauge
	tasktide_cache_hits_total counter
	tasktide_cache_misses_total counter
	tasktide_cache_passed_total counter
	tasktide_clock_clamps_total counter
	tasktide_database_pool_in_use_connections gauge
	tasktide_database_pool_max_connections gauge
	tasktide_database_pool_wait_seconds_total counter
	tasktide_database_pool_waits_total counter
	tasktide_database_up gauge
	tasktide_http_request_duration_seconds histogram
	tasktide_http_requests_refused_total counter
	tasktide_page_exports_total counter
	tasktide_page_filters_median gauge
	tasktide_page_render_seconds summary
	tasktide_page_visits_total counter
	tasktide_retention_cell_seconds_total counter
	tasktide_retention_held gauge
	tasktide_retention_left_alone_workflows gauge
	tasktide_retention_rows_total counter
	tasktide_retention_timestamp_seconds gauge
	tasktide_rollup_damaged_blocks_total counter
	tasktide_rollup_lag_seconds gauge
	tasktide_rollup_marked_workflows gauge
	tasktide_rollup_rows_total counter
	tasktide_task_transitions_total counter
	tasktide_transaction_deadlocks_total counter
	tasktide_transaction_retries_total counter
	tasktide_transactions_given_up_total counter
	tasktide_verification_broken_chains gauge
	tasktide_verification_covered_tasks gauge
	tasktide_verification_defects gauge
	tasktide_verification_tasks gauge
	tasktide_verification_timestamp_seconds gauge
`)

// healthy is what a source tells of its upkeep, each number another one.
func healthy(context.Context) (api.Health, error) {
	return api.Health{
		Writes:       api.WriteHealth{ClockClamps: 1},
		RollUp:       api.RollUpHealth{LagSeconds: 2.5, MarkedWorkflows: 3, Rows: 4, DamagedBlocks: 5},
		Retention:    api.RetentionHealth{LastPass: api.KnownInstant(6_500_000), Rows: 7, Hours: 8, LeftAlone: 9, Held: new("the clock")},
		Verification: api.VerificationHealth{Ended: api.KnownInstant(10_000_000), Tasks: 15, Covered: 12, Broken: 11, Defects: 14},
	}, nil
}

// scraped serves the metrics of a source on a database, and returns what one scrape tells.
func scraped(t *testing.T, change func(*metrics.Source)) (text string) {
	t.Helper()
	db := testdb.Open(t)
	t.Cleanup(func() { db.Close() })
	source := metrics.Source{
		Version: "v1.2.3", Database: db, Health: healthy, Usage: api.NewUsage(),
		Answers: func() cache.Stats { return cache.Stats{Hits: 16, Misses: 17, Bytes: 18, Passed: 19} },
	}
	change(&source)
	told := metrics.New(source)
	told.Observe(api.Answered{Route: "/api/v2/workflows", Method: "GET", Status: "2xx", Took: 20 * time.Millisecond})
	told.Refused(jobmon.CodeTooManyRequests)
	w := httptest.NewRecorder()
	told.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %v: %s", w.Code, err, body)
	}
	return string(body)
}

var typed = regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`)

// families returns the names and types of all metrics, in their order.
func families(text string) (ours, all []string) {
	for _, found := range typed.FindAllStringSubmatch(text, -1) {
		all = append(all, found[1:]...)
		if strings.HasPrefix(found[1], "tasktide_") {
			ours = append(ours, found[1:]...)
		}
	}
	return ours, all
}

func TestNames(t *testing.T) {
	text := scraped(t, func(*metrics.Source) {})
	ours, all := families(text)
	if !slices.Equal(ours, exported) {
		t.Errorf("exported are\n%s", strings.Join(ours, "\n"))
	}
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes", "process_open_fds"} {
		if !slices.Contains(all, name) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, found := range typed.FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile(`(?m)^# HELP ` + found[1] + ` .{10}`).MatchString(text) {
			t.Errorf("%s has no help", found[1])
		}
	}
}

func TestValues(t *testing.T) {
	text := scraped(t, func(*metrics.Source) {})
	for line := range strings.Lines(`tasktide_clock_clamps_total 1
tasktide_database_up 1
tasktide_rollup_lag_seconds 2.5
tasktide_rollup_marked_workflows 3
tasktide_rollup_rows_total 4
tasktide_rollup_damaged_blocks_total 5
tasktide_retention_timestamp_seconds 6.5
tasktide_retention_rows_total 7
tasktide_retention_cell_seconds_total 28800
tasktide_retention_left_alone_workflows 9
tasktide_retention_held 1
tasktide_verification_timestamp_seconds 10
tasktide_verification_broken_chains 11
tasktide_verification_covered_tasks 12
tasktide_verification_defects 14
tasktide_verification_tasks 15
tasktide_cache_hits_total 16
tasktide_cache_misses_total 17
tasktide_cache_bytes 18
tasktide_cache_passed_total 19
tasktide_database_pool_max_connections{pool="write"} 1
tasktide_page_exports_total{kind="svg"} 0
tasktide_http_request_duration_seconds_bucket{method="GET",route="/api/v2/workflows",status="2xx",le="0.025"} 1
tasktide_http_requests_refused_total{code="busy"} 0
tasktide_http_requests_refused_total{code="too_many_requests"} 1
tasktide_http_request_duration_seconds_bucket{method="GET",route="/api/v2/workflows",status="2xx",le="0.01"} 0
`) {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("there is no %s", line)
		}
	}
}

// When the database is gone, everything is told that it is not asked for: the alerts need it then most.
func TestWithoutADatabase(t *testing.T) {
	text := scraped(t, func(source *metrics.Source) {
		source.Health = func(ctx context.Context) (api.Health, error) {
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("a scrape waits for ever")
			}
			told, _ := healthy(ctx)
			return told, errors.New("it is gone")
		}
	})
	ours, _ := families(text)
	missing := []string{"tasktide_rollup_lag_seconds", "tasktide_rollup_marked_workflows"}
	var want []string
	for family := range slices.Chunk(exported, 2) {
		if !slices.Contains(missing, family[0]) {
			want = append(want, family...)
		}
	}
	if !slices.Equal(ours, want) || !strings.Contains(text, "\ntasktide_database_up 0\n") {
		t.Errorf("it tells %v", ours)
	}
}
