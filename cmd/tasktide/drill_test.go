package main

import (
	"context"
	"database/sql"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tasktide/internal/demo"
	"tasktide/internal/jobmon"
	"tasktide/internal/store/testdb"
)

// drilled is what things go wrong with: a database of its own, a tasktide process, a second server on the same
// database, and a Prometheus that scrapes both. What a process does once an hour or a day, the second does when it is
// told to, and not before.
type drilled struct {
	t           *testing.T
	database    *testdb.Server
	databaseURL string
	sql         *sql.DB // past both servers
	url         string  // of the process, whichever it is
	process     *program
	idle        *watched
	prometheus  *prometheus
}

// The servers, as Prometheus knows them.
const (
	ofProcess = "process"
	ofIdle    = "idle"
)

func newDrilled(t *testing.T) *drilled {
	t.Helper()
	database, err := testdb.Start(testdb.PostgreSQL, testdb.Settings{Postgres: []string{"-c", "max_connections=48"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Stop)
	name, err := database.Empty(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := &drilled{t: t, database: database, databaseURL: database.URL(name)}
	if d.sql, err = database.Connect(name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.sql.Close() })
	if code, _, errOut := call("migrate", "--database-url", d.databaseURL); code != 0 {
		t.Fatal(errOut)
	}
	d.execute("CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
	d.process = start(t, "serve", "--database-url", d.databaseURL, "--listen", "127.0.0.1:0")
	d.url = d.process.url
	d.idle = newWatched(t, d.databaseURL)
	d.prometheus = startPrometheus(t, map[string]string{ofProcess: d.url, ofIdle: d.idle.url})
	return d
}

// do makes sure of a step of a drill.
func (d *drilled) do(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *drilled) execute(statement string) {
	d.t.Helper()
	_, err := d.sql.ExecContext(d.t.Context(), statement)
	d.do(err)
}

func (d *drilled) stop(signal syscall.Signal) {
	d.t.Helper()
	d.do(d.process.process.Process.Signal(signal))
	_ = d.process.wait()
}

// start starts the process again where it was.
func (d *drilled) start() {
	d.t.Helper()
	d.process = start(d.t, "serve", "--database-url", d.databaseURL, "--listen", strings.TrimPrefix(d.url, "http://"))
}

func (d *drilled) verify() {
	d.t.Helper()
	d.do(d.idle.server.upkeep.verifier.Pass(d.t.Context()))
}

func (d *drilled) retain() {
	d.t.Helper()
	d.do(d.idle.server.upkeep.retention.Pass(d.t.Context()))
}

func (d *drilled) rebuild() {
	d.t.Helper()
	if code, _, errOut := call("rollup", "rebuild", "--database-url", d.databaseURL); code != 0 {
		d.t.Fatal(errOut)
	}
}

func (d *drilled) summedUp() {
	d.t.Helper()
	eventually(d.t, "the roll-up is behind", func() bool { return d.idle.metric("tasktide_rollup_marked_workflows") == 0 })
}

// look asks the process for something that the database has to be asked for.
func (d *drilled) look(ctx context.Context) { d.send(ctx, http.MethodGet, "/api/v2/workflows", "") }

// beat tells the process that the first run is alive.
func (d *drilled) beat(ctx context.Context) {
	d.send(ctx, http.MethodPost, "/api/v3/workflow_run/1/log_heartbeat", `{"status": "R", "next_report_increment": 60}`)
}

func (d *drilled) send(ctx context.Context, method, path, body string) {
	request, err := http.NewRequestWithContext(ctx, method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Error(err)
		return
	}
	request.Header.Set("Content-Type", "application/json")
	if response, err := http.DefaultClient.Do(request); err == nil {
		_ = response.Body.Close()
	}
}

// move moves some tasks from their registration to their end.
func (d *drilled) move(ctx context.Context) {
	_, err := demo.Drive(ctx, demo.Config{
		BaseURL: d.url + "/api/v3", Name: "drill", Templates: 2, TasksPerTemplate: 3, Log: slog.New(slog.DiscardHandler),
	}, 1, 1)
	if err != nil && ctx.Err() == nil {
		d.t.Error(err)
	}
}

// drill is one thing that goes wrong and is mended.
type drill struct {
	what        string
	alerts      []alert // those that it is told by
	wrong, mend func()  // wrong is nil for what is so at the start
	// While it lasts, this many clients do this, each once a second at most: so few that they are in nobody's way once
	// it is mended, on a busy machine too.
	clients int
	client  func(ctx context.Context)
}

func (d *drilled) drills() []drill {
	var lock *sql.Tx
	hold := func(statement string) {
		var err error
		lock, err = d.sql.BeginTx(d.t.Context(), nil)
		d.do(err)
		_, err = lock.ExecContext(d.t.Context(), statement)
		d.do(err)
	}
	release := func() { d.do(lock.Rollback()) }
	return []drill{
		{
			what:   "a server has neither verified nor removed anything yet",
			alerts: []alert{{"TasktideVerificationStale", ofIdle}, {"TasktideRetentionBehind", ofIdle}},
			mend:   func() { d.verify(); d.retain() },
		},
		{
			what:   "the clock has jumped since the last pass",
			alerts: []alert{{"TasktideRetentionHeld", ofIdle}},
			wrong: func() {
				d.execute("UPDATE retention_clock SET clock_at = clock_at - INTERVAL '30 days'")
				if err := d.idle.server.upkeep.retention.Pass(d.t.Context()); jobmon.ErrorCode(err) != jobmon.CodeConflict {
					d.t.Fatalf("the pass says %v", err)
				}
			},
			mend: func() {
				code, _, errOut := call("retention", "--database-url", d.databaseURL, "--block-retention", "0", "--confirm")
				if code != 0 {
					d.t.Fatal(errOut)
				}
				d.retain()
			},
		},
		{
			what:   "cells are lost",
			alerts: []alert{{"TasktideAuditDefects", ofIdle}},
			wrong: func() {
				importInto(d.t, d.databaseURL, "--expire")
				d.summedUp()
				d.execute("DELETE FROM concurrency_block WHERE cell_minutes = 1")
				d.verify()
			},
			mend: func() {
				d.rebuild()
				d.summedUp()
				d.verify()
			},
		},
		{
			what:   "the roll-up is stopped",
			alerts: []alert{{"TasktideRollUpLag", ofProcess}, {"TasktideRetentionBehind", ofIdle}},
			wrong: func() {
				d.execute("CREATE TRIGGER stopped BEFORE DELETE ON concurrency_mark FOR EACH ROW EXECUTE FUNCTION leave_out()")
				d.rebuild()
				d.execute("UPDATE workflow_import SET published_at = '2020-01-03 00:00:00+00'")
				d.retain()
			},
			mend: func() {
				d.execute("DROP TRIGGER stopped ON concurrency_mark")
				d.summedUp()
				d.retain()
			},
		},
		{
			what:   "a task is given another status",
			alerts: []alert{{"TasktideCoverageDrift", ofIdle}, {"TasktideAuditDefects", ofIdle}},
			wrong: func() {
				d.move(d.t.Context())
				d.execute("UPDATE task SET status = 'R' WHERE id = (SELECT max(id) FROM task)")
				d.verify()
			},
			mend: func() {
				d.execute("UPDATE task SET status = 'D' WHERE id = (SELECT max(id) FROM task)")
				d.verify()
			},
		},
		{
			what:   "a row of the audit is changed",
			alerts: []alert{{"TasktideBrokenChains", ofIdle}, {"TasktideAuditDefects", ofIdle}},
			wrong: func() {
				d.execute("UPDATE task_status_audit SET previous_status = 'G' WHERE new_status = 'D' AND task_id = (SELECT max(id) FROM task)")
				d.verify()
			},
			mend: func() {
				d.execute("UPDATE task_status_audit SET previous_status = 'R' WHERE new_status = 'D' AND task_id = (SELECT max(id) FROM task)")
				d.verify()
			},
		},
		{
			what:   "the database leaves the audit's rows out",
			alerts: []alert{{"TasktideAuditStopped", ofProcess}},
			wrong:  func() { d.execute("CREATE RULE stopped AS ON INSERT TO task_status_audit DO INSTEAD NOTHING") },
			mend: func() {
				d.execute("DROP RULE stopped ON task_status_audit")
				d.stop(syscall.SIGTERM) // a connection keeps what it has prepared under the rule
				d.start()
			},
			clients: 1, client: d.move,
		},
		{
			what:    "somebody holds a lock",
			alerts:  []alert{{"TasktidePoolExhausted", ofProcess}, {"TasktideContention", ofProcess}},
			wrong:   func() { hold("SELECT id FROM workflow_run WHERE id = 1 FOR UPDATE") },
			mend:    release,
			clients: 20, client: d.beat, // a server has 12 connections that write
		},
		{
			what:    "somebody holds a table",
			alerts:  []alert{{"TasktideBusy", ofProcess}},
			wrong:   func() { hold("LOCK TABLE workflow") },
			mend:    release,
			clients: 20, client: d.look, // it has fewer that read
		},
		{
			what:    "the database is gone",
			alerts:  []alert{{"TasktideDatabaseDown", ofProcess}, {"TasktideErrorRate", ofProcess}},
			wrong:   d.database.Kill,
			mend:    func() { d.do(d.database.Restart()) },
			clients: 1, client: d.look,
		},
		{
			what:   "the server is gone",
			alerts: []alert{{"TasktideDown", ofProcess}},
			wrong:  func() { d.stop(syscall.SIGKILL) },
			mend:   d.start,
		},
	}
}

// ask has the clients of a drill at work until stop is called, which waits for them.
func (d *drilled) ask(of drill) (stop func()) {
	ctx, cancel := context.WithCancel(d.t.Context())
	var clients sync.WaitGroup
	for range of.clients {
		clients.Go(func() {
			next := time.NewTicker(time.Second)
			defer next.Stop()
			for ctx.Err() == nil {
				of.client(ctx)
				select {
				case <-next.C:
				case <-ctx.Done():
				}
			}
		})
	}
	return func() {
		cancel()
		clients.Wait()
	}
}

// TestDrills makes each thing happen that there is an alert for, on servers that run, and demands that a
// Prometheus with the rules that are shipped tells of it, and of its end.
func TestDrills(t *testing.T) {
	t.Parallel()
	d := newDrilled(t)
	drills := d.drills()
	inDrills := map[string]bool{}
	for _, of := range drills {
		for _, alert := range of.alerts {
			inDrills[alert.name] = true
		}
	}
	if alerts, drilled := d.prometheus.alerts(), slices.Sorted(maps.Keys(inDrills)); !slices.Equal(alerts, drilled) {
		t.Fatalf("there are the alerts %v, and drills of %v", alerts, drilled)
	}
	for _, of := range drills {
		begun := time.Now()
		if of.wrong != nil {
			d.prometheus.await(of.alerts, inactive)
			of.wrong()
		}
		stop := d.ask(of)
		d.prometheus.await(of.alerts, firing)
		fired := time.Now()
		of.mend()
		d.prometheus.await(of.alerts, inactive)
		stop()
		t.Logf("%s: %v fired after %v, and cleared %v later", of.what, of.alerts,
			fired.Sub(begun).Round(time.Second/10), time.Since(fired).Round(time.Second/10))
	}
}
