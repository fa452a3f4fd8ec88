package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tasktide/internal/upkeep"
)

// importTrace loads the trace, as of years ago, and returns the URL of the database.
func importTrace(t *testing.T, flags ...string) string {
	t.Helper()
	database := tempDatabase(t)
	importInto(t, database, flags...)
	return database
}

func importInto(t *testing.T, database string, flags ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace.txt")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(trace, "2026-", "2020-")), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"import", "nextflow", file, "--workflow", "run", "--database-url", database}, flags...)
	if code, out, errOut := call(args...); code != 0 || out != "1\n" {
		t.Fatalf("import exits %d with %q %q", code, out, errOut)
	}
}

// rollUp sums everything up, as a server would within moments.
func rollUp(t *testing.T, database string) {
	t.Helper()
	db, err := databaseFlag{DatabaseURL: database}.open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := upkeep.NewRollUp(db, slog.New(slog.DiscardHandler)).Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// rewrite changes a database behind the program's back.
func rewrite(t *testing.T, database, statement string, args ...any) {
	t.Helper()
	raw, err := sql.Open("sqlite", strings.TrimPrefix(database, "sqlite://"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// says demands the exit code of a command and a part of what it prints, on both of its outputs.
func says(t *testing.T, code int, out, errOut string, args ...string) {
	t.Helper()
	gotCode, gotOut, gotErr := call(args...)
	if gotCode != code || !regexp.MustCompile(out).MatchString(gotOut) || !regexp.MustCompile(errOut).MatchString(gotErr) {
		t.Errorf("%v exits %d with %q %q; want %d with %q %q", args, gotCode, gotOut, gotErr, code, out, errOut)
	}
}

func TestAuditVerify(t *testing.T) {
	database := importTrace(t)
	whole := func(cells string) {
		t.Helper()
		for _, of := range [][]string{nil, {"--workflow", "1"}} {
			says(t, 0, `^Verified 1 workflows, \d tasks, \d\d rows and `+cells+` cells in [0-9.m]*s: 0 defects\.\n$`, "^$",
				append([]string{"audit", "verify", "--database-url", database}, of...)...)
		}
	}
	whole("0")
	rollUp(t, database)
	whole(`[1-9]\d+`)
	says(t, 1, "^$", "^tasktide: [^\n]*99[^\n]*\n$", "audit", "verify", "--database-url", database, "--workflow", "99")
	says(t, 2, "", "--help", "audit", "verify", "--database-url", database, "--workflow", "some")

	rewrite(t, database, "DELETE FROM task_status_audit WHERE id = (SELECT MIN(id) FROM task_status_audit WHERE new_status = 'R')")
	says(t, 1, `(?m)^workflow 1, task \d+, 2020-01-02T03:\d\d:\d\d\.\d{6}Z: the chain is broken: the task was in LAUNCHED, and the row says that it left RUNNING\n(.*\n)*`+
		`workflow 1, 2020-01-02T03:\d\d:00\.000000Z: R: the cells of a minute and its rows tell different things$`,
		`^tasktide: the audit has \d+ defects\n$`, "audit", "verify", "--database-url", database)
}

// A backup from before an upgrade is verified by the program that it is of, and the newer one leaves it as it is.
func TestAuditVerifyLeavesTheSchemaAlone(t *testing.T) {
	database := importTrace(t)
	rewrite(t, database, "DELETE FROM schema_version WHERE version > 1")
	for range 2 {
		says(t, 1, "^$", "run tasktide migrate first", "audit", "verify", "--database-url", database)
	}
}

func TestRollUpRebuild(t *testing.T) {
	database := importTrace(t)
	rollUp(t, database)
	rewrite(t, database, "DELETE FROM concurrency_block WHERE cell_minutes = 1")
	says(t, 1, "different things", "defects", "audit", "verify", "--database-url", database)
	says(t, 1, "^$", "^tasktide: [^\n]*99[^\n]*\n$", "rollup", "rebuild", "--database-url", database, "--workflow", "99")
	for _, of := range [][]string{nil, {"--workflow", "1"}} {
		says(t, 0, `^\d+0 minutes will be counted again\.\n$`, "^$", append([]string{"rollup", "rebuild", "--database-url", database}, of...)...)
	}
	rollUp(t, database)
	says(t, 0, " 0 defects", "^$", "audit", "verify", "--database-url", database)
}

// importedLongAgo makes the import as old as what it tells of.
func importedLongAgo(t *testing.T, database string) {
	t.Helper()
	rewrite(t, database, "UPDATE workflow_import SET published_at = ?", time.Date(2020, 1, 3, 0, 0, 0, 0, time.UTC).UnixMicro())
}

func TestRetention(t *testing.T) {
	database := importTrace(t, "--expire")
	retention := func(args ...string) []string {
		return append([]string{"retention", "--database-url", database, "--block-retention", "0"}, args...)
	}
	nothing := `^0 workflows would lose something\.\n$`
	says(t, 0, nothing, "^$", retention("--dry-run")...)
	importedLongAgo(t, database)
	says(t, 0, nothing, "^$", retention("--dry-run", "--audit-retention", "0")...)
	says(t, 0, nothing, "^$", retention("--dry-run", "--audit-retention", "36500d")...)
	planned := `^workflow 1, "run": (\d+) rows before 20\d\d-\d\d-\d\dT\d\d:00:00Z\n1 workflows would lose something\.\n`
	held := planned + `A pass is held, and removes nothing: transitions before .* --confirm\.\n$`
	says(t, 0, held, "^$", retention("--dry-run")...)
	says(t, 1, `^$`, `^tasktide: retention is held and removes nothing: transitions before [^\n]* are due, and no pass is known that removed `+
		`any before; if they may go, see what would be removed with: tasktide retention --audit-retention 90d --block-retention 0 --dry-run, `+
		`and confirm it with: tasktide retention --audit-retention 90d --block-retention 0 --confirm\n$`, retention()...)
	says(t, 2, `^$`, "can't be used together", retention("--dry-run", "--confirm")...)
	says(t, 1, `^Removed 0 rows`, `(?s)not summed up yet.*\ntasktide: 1 workflows were left alone`, retention("--confirm")...)
	rollUp(t, database)
	_, out, _ := call(retention("--dry-run", "--audit-retention", "36h")...)
	rows := regexp.MustCompile(planned).FindStringSubmatch(out)
	if len(rows) < 2 || rows[1] == "0" {
		t.Fatalf("the dry run says %q", out)
	}
	says(t, 0, planned, "^$", retention("--dry-run")...)
	says(t, 0, fmt.Sprintf(`^Removed %s rows, and the counts of 0 hours\.\n$`, rows[1]), "^$", retention()...)
	says(t, 0, nothing, "^$", retention("--dry-run")...)
	says(t, 0, ` 0 defects`, "^$", "audit", "verify", "--database-url", database)

	counts := []string{"retention", "--database-url", database}
	says(t, 0, `^workflow 1, "run": counts before 20\d\d-\d\d-\d\dT00:00:00Z\n1 workflows`, "^$", append(counts, "--dry-run")...)
	says(t, 1, `^$`, `held and removes nothing: counts before .* are due`, counts...)
	says(t, 0, `^Removed 0 rows, and the counts of 24 hours\.\n$`, "^$", append(counts, "--confirm")...)
	says(t, 0, nothing, "^$", append(counts, "--dry-run")...)
	says(t, 0, ` 0 defects`, "^$", "audit", "verify", "--database-url", database)
}

// What is imported stays, unless it was said that it may go.
func TestImportsAreKept(t *testing.T) {
	database := importTrace(t)
	importedLongAgo(t, database)
	rollUp(t, database)
	says(t, 0, `^0 workflows would lose something\.\n$`, "^$", "retention", "--database-url", database, "--dry-run")
	says(t, 0, `^Removed 0 rows, and the counts of 0 hours\.\n$`, "^$", "retention", "--database-url", database)
}

func TestAgesThatAreNone(t *testing.T) {
	database := importTrace(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a server that starts after all
	defer cancel()
	for _, c := range []struct {
		flag string
		code int
		says string
	}{
		{"--audit-retention=1h", 1, `kept for 2h0m0s at least.*choose a longer time`},
		{"--audit-retention=-5h", 1, `kept for 2h0m0s at least`},
		{"--audit-retention=abc", 2, `"abc" is no length of time; write 90d or 36h`},
		{"--audit-retention=-5d", 2, `"-5d" is no number of days`},
		{"--audit-retention=1.5d", 2, `"1.5d" is no number of days`},
		{"--audit-retention=36501d", 2, `"36501d" is no number of days`},
		{"--audit-retention=", 2, `is no length of time`},
		{"--audit-retention=401d", 1, `cannot be removed before its rows`},
		{"--block-retention=1d", 1, `cannot be removed before its rows`},
		{"--block-retention=xd", 2, `"xd" is no number of days`},
	} {
		for _, command := range []string{"retention", "serve"} {
			var stderr bytes.Buffer
			code := run(ctx, []string{command, "--database-url", database, c.flag}, io.Discard, &stderr)
			errOut := stderr.String()
			last := errOut[strings.LastIndex(strings.TrimSpace(errOut), "\n")+1:]
			if code != c.code || !regexp.MustCompile(c.says).MatchString(last) {
				t.Errorf("%s %s exits %d with %q", command, c.flag, code, last)
			}
		}
	}
}

func TestAServerWithABadRetentionDoesNotStart(t *testing.T) {
	t.Setenv("TASKTIDE_AUDIT_RETENTION", "1h")
	// It would serve for ever.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errOut strings.Builder
	code := run(ctx, []string{"serve", "--database-url", tempDatabase(t), "--listen", "127.0.0.1:0"}, &out, &errOut)
	if code != 1 || out.String() != "" || !strings.Contains(errOut.String(), "must be kept for 2h0m0s at least") || strings.Count(errOut.String(), "\n") != 1 {
		t.Errorf("it exits %d with %q %q", code, out.String(), errOut.String())
	}
}

// A server does its upkeep itself, and tells of it.
func TestAServerKeepsItsDatabase(t *testing.T) {
	database := importTrace(t, "--expire")
	importedLongAgo(t, database)
	server := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0", "--block-retention", "0")
	rolled := regexp.MustCompile(`"oldest_mark":null.*"rows":[1-9]`)
	eventually(t, "the server has not summed up what is there", func() bool {
		status, body := server.get("/api/v2/health")
		return status == 200 && rolled.MatchString(body)
	})
	_, body := server.get("/api/v2/health")
	if !strings.Contains(body, `"audit_seconds":7776000,"block_seconds":0`) {
		t.Errorf("its health is %s", body)
	}
}
