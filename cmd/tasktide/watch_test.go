package main

import (
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"tasktide/internal/demo"
	"tasktide/internal/store/sqlstore"
)

// watched is a server whose upkeep does nothing by itself.
type watched struct {
	t      *testing.T
	db     *sqlstore.Store
	server *server
	url    string
}

func newWatched(t *testing.T, database string) *watched {
	t.Helper()
	db, err := databaseFlag{DatabaseURL: database}.open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	quiet := &terminal{out: io.Discard, err: io.Discard, log: slog.New(slog.DiscardHandler)}
	flags := serverFlags{Listen: "127.0.0.1:0", BasePath: "/", Telemetry: "on"}
	s, err := newServer(t.Context(), flags, db, nil, defaultCache(), retentionFlags{AuditRetention: age(90 * 24 * time.Hour)}, quiet, &databaseFlag{})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	t.Cleanup(func() {
		s.http.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return &watched{t, db, s, s.url()}
}

func (w *watched) get(path string) (status int, body string) {
	w.t.Helper()
	return (&program{t: w.t, url: w.url}).get(path)
}

// ready demands 200, or 503 for a check that failed.
func (w *watched) ready(failed, says string) {
	w.t.Helper()
	status, body := w.get("/readyz")
	switch {
	case failed == "" && (status != http.StatusOK || body != "{\"status\":\"ready\"}\n"),
		failed != "" && (status != http.StatusServiceUnavailable || !strings.Contains(body, `"field":"`+failed+`"`) || !strings.Contains(body, says)):
		w.t.Errorf("/readyz: %d %s; want the check %q to have failed", status, body, failed)
	}
	if status, body := w.get("/healthz"); status != http.StatusOK {
		w.t.Errorf("/healthz: %d %s", status, body)
	}
}

func TestReadyAsLongAsTheDatabaseAnswers(t *testing.T) {
	w := newWatched(t, tempDatabase(t))
	w.ready("", "")
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	w.ready("database", "the database is closed")
}

func TestReadyWithItsOwnSchema(t *testing.T) {
	database := tempDatabase(t)
	w := newWatched(t, database)
	rewrite(t, database, "INSERT INTO schema_version (version) VALUES (1000)")
	w.ready("schema", "the database has schema version 1000 and this program knows")
	rewrite(t, database, "DELETE FROM schema_version WHERE version = 1000")
	w.ready("", "")
	rewrite(t, database, "DELETE FROM schema_version WHERE version > 1")
	w.ready("schema", "run tasktide migrate first")
}

// An import of an old run is no reason to leave; a roll-up that does not get on is one.
func TestReadyAsLongAsTheRollUpKeepsUp(t *testing.T) {
	w := newWatched(t, importTrace(t))
	if lag := w.metric("tasktide_rollup_lag_seconds"); lag < time.Hour.Seconds() {
		t.Fatalf("the lag is %v s", lag)
	}
	w.ready("", "")
	w.server.upkeep.maxBehind = time.Nanosecond
	w.ready("roll_up", "the roll-up has been behind for")
	if err := w.server.upkeep.rollUp.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.ready("", "")
}

// metric returns a number that a scrape tells.
func (w *watched) metric(name string) float64 {
	w.t.Helper()
	status, body := w.get("/metrics")
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(body)
	if status != http.StatusOK || found == nil {
		w.t.Fatalf("%d, and no %s in\n%s", status, name, body)
	}
	value, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		w.t.Fatal(err)
	}
	return value
}

// What a task's moves write is counted as they are committed, both ways, and each request by its route.
func TestAServerCountsWhatItWrites(t *testing.T) {
	database := tempDatabase(t)
	w := newWatched(t, database)
	driven, err := demo.Drive(t.Context(), demo.Config{
		BaseURL: w.url + "/api/v3", Name: "counted", Templates: 2, TasksPerTemplate: 150, MaxConcurrentlyRunning: 300, Log: slog.New(slog.DiscardHandler),
	}, 1, 2)
	if err != nil {
		t.Fatalf("%+v, %v", driven, err)
	}
	raw, err := sql.Open("sqlite", strings.TrimPrefix(database, "sqlite://"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var stored float64
	if err := raw.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM task_status_audit").Scan(&stored); err != nil {
		t.Fatal(err)
	}
	moved, rows := w.metric("tasktide_task_transitions_total"), w.metric("tasktide_audit_rows_total")
	if stored < 300 || moved != stored || rows != stored {
		t.Errorf("%v transitions and %v rows; %v are stored", moved, rows, stored)
	}
	done := w.metric(`tasktide_http_request_duration_seconds_count{method="POST",route="/api/v3/task_instance/{task_instance_id}/log_done",status="2xx"}`)
	if done < 300 {
		t.Errorf("%v requests that tell of a task that is done", done)
	}
}
