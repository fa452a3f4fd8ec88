package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"tasktide/internal/demo"
)

// jumped is by how much the clock is wrong: a whole number of the longest blocks of cells, in days.
const jumped = 4 * 32

// shift moves everything that a SQLite file tells by days: to a server, its clock has jumped the other way.
func shift(t *testing.T, database string, days int64) {
	t.Helper()
	raw, err := sql.Open("sqlite", strings.TrimPrefix(database, "sqlite://"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	minutes := days * 24 * 60
	for statement, by := range map[string]int64{
		"UPDATE task SET status_date = status_date + ?1":                                                                        minutes * 60_000_000,
		"UPDATE task_status_audit SET changed_at = changed_at + ?1, previous_at = previous_at + ?1, stored_at = stored_at + ?1": minutes * 60_000_000,
		"UPDATE workflow_horizon SET rows_from = rows_from + ?1 WHERE rows_from > 0":                                            minutes * 60_000_000,
		"UPDATE workflow_horizon SET first_at = first_at + ?1, last_at = last_at + ?1":                                          minutes * 60_000_000,
		"UPDATE retention_clock SET clock_at = clock_at + ?1, rows_before = rows_before + ?1, data_before = data_before + ?1":   minutes * 60_000_000,
		"UPDATE concurrency_limit SET changed_at = changed_at + ?1":                                                             minutes * 60_000_000,
		"UPDATE concurrency_mark SET minute = minute + ?1":                                                                      minutes,
		"UPDATE concurrency_block SET first_minute = first_minute + ?1 WHERE cell_minutes > 0":                                  minutes,
	} {
		if _, err := raw.ExecContext(t.Context(), statement, by); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func (p *program) end() {
	p.t.Helper()
	if err := p.process.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.wait(); err != nil {
		p.t.Logf("it ended with %v", err)
	}
}

func (p *program) post(path, body string) (status int, answer string) {
	p.t.Helper()
	response, err := http.Post(p.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(read)
}

// queried returns a number that a SQLite file tells.
func queried(t *testing.T, database, query string) (n int64) {
	t.Helper()
	raw, err := sql.Open("sqlite", strings.TrimPrefix(database, "sqlite://"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if err := raw.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

var heldHealth = regexp.MustCompile(`"held":"([^"]+)"`)

// held returns why a server's retention is held, as its health tells.
func (p *program) held() string {
	_, body := p.get("/api/v2/health")
	if found := heldHealth.FindStringSubmatch(body); found != nil {
		return found[1]
	}
	return ""
}

const (
	rowsOfAudit  = "SELECT COUNT(*) FROM task_status_audit"
	chartOfRun   = "/api/v2/workflow/1/task_concurrency?time_range=1h&format=columns&status=RUNNING"
	startOfPages = "/api/v2/workflows?activity=true"
)

// running leaves a run in the midst of its work, and returns the path that says that one of its instances is done.
func running(t *testing.T, database string) (done string) {
	t.Helper()
	server := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")
	ctx, stop := context.WithCancel(t.Context())
	driven := make(chan error, 1)
	go func() {
		config := demo.Config{BaseURL: server.url + "/api/v3", Name: "run", Templates: 2, TasksPerTemplate: 20, Log: slog.New(slog.DiscardHandler)}
		driven <- demo.Abandon(ctx, config, time.Minute)
	}()
	eventually(t, "no two tasks run", func() bool {
		return queried(t, database, "SELECT COUNT(*) FROM task_instance WHERE status = 'R'") > 1
	})
	stop()
	if err := <-driven; err != nil {
		t.Fatal(err)
	}
	server.end()
	return fmt.Sprintf("/api/v3/task_instance/%d/log_done", queried(t, database,
		"SELECT MIN(i.id) FROM task_instance i JOIN task t ON t.id = i.task_id WHERE i.status = 'R' AND t.status = 'R'"))
}

// A server that starts with a clock that is months ahead removes nothing and says why; when the clock is right again,
// everything goes on.
func TestAServerWhoseClockIsWrongAtTheStart(t *testing.T) {
	database := tempDatabase(t)
	done := running(t, database)
	rows := queried(t, database, rowsOfAudit)
	shift(t, database, -jumped)
	server := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")
	eventually(t, "its health does not say that retention is held", func() bool { return server.held() != "" })
	if held := server.held(); !strings.Contains(held, "128 days after the newest transition") || !strings.Contains(held, "--confirm") {
		t.Errorf("it is held because %s", held)
	}
	if _, metrics := server.get("/metrics"); !strings.Contains(metrics, "\ntasktide_retention_held 1\n") {
		t.Error("no metric says that retention is held")
	}
	says(t, 1, "^$", "retention is held and removes nothing: the database's clock says", "retention", "--database-url", database)
	says(t, 0, "(?s)rows before.*A pass is held, and removes nothing", "^$", "retention", "--database-url", database, "--dry-run")
	server.end()
	if log := server.stderr.String(); !strings.Contains(log, "retention is held and removes nothing") {
		t.Errorf("its log says %q", log)
	}
	if left := queried(t, database, rowsOfAudit); left != rows {
		t.Fatalf("%d of %d rows are left", left, rows)
	}
	shift(t, database, jumped)
	server = start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")
	server.answers(http.StatusOK, "", done)
	if held := server.held(); held != "" {
		t.Errorf("by the right clock it is held because %s", held)
	}
	says(t, 0, " 0 defects", "^$", "audit", "verify", "--database-url", database)
}

// answers demands what the chart, the start page and the end of a task answer.
func (p *program) answers(status int, text, done string) {
	p.t.Helper()
	for _, path := range []string{chartOfRun, startOfPages} {
		if got, body := p.get(path); got != status || !strings.Contains(body, text) {
			p.t.Errorf("%s: %d %s", path, got, body)
		}
	}
	if got, body := p.post(done, "{}"); got != status || !strings.Contains(body, text) {
		p.t.Errorf("%s: %d %s", done, got, body)
	}
}

// A database in which a wrong clock was believed says what to do, and is brought back by that.
func TestADatabaseWhoseClockWasBelieved(t *testing.T) {
	t.Parallel()
	database := tempDatabase(t)
	done := running(t, database)
	shift(t, database, -jumped)
	rollUp(t, database)
	says(t, 0, `^Removed [1-9]\d* rows`, "^$", "retention", "--database-url", database, "--confirm")
	shift(t, database, jumped)
	rewrite(t, database, "UPDATE workflow_horizon SET rows_from = rows_from + 864000000000") // at midnight, too, it is in the future
	if left := queried(t, database, rowsOfAudit); left != 0 {
		t.Fatalf("%d rows are left", left)
	}
	server := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")
	const help = "run tasktide retention recover"
	server.answers(http.StatusServiceUnavailable, help, done)
	eventually(t, "its health does not name the command", func() bool { return strings.Contains(server.held(), help) })
	says(t, 1, help+`\n`, "1 defects", "audit", "verify", "--database-url", database)
	says(t, 0, `^workflow 1, "[^"]+": rows_from \S+ becomes \S+\n1 workflows would be recovered.* --confirm\n$`, "^$",
		"retention", "recover", "--database-url", database)
	says(t, 0, `^workflow 1, .*\nRecovered 1 workflows\.\n$`, "^$", "retention", "recover", "--database-url", database, "--confirm")
	server.answers(http.StatusOK, "", done)
	says(t, 0, " 0 defects", "^$", "audit", "verify", "--database-url", database)
	says(t, 0, "^Removed 0 rows", "^$", "retention", "--database-url", database)
}
