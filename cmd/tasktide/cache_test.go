package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tasktide/internal/store/testdb"
)

// A Redis that is not there is told of, without its password, and changes no answer; nor does one that is there,
// one that is too small, or none at all.
func TestAnswersAreTheSameWhereverTheyAreKept(t *testing.T) {
	database := tempDatabase(t)
	file := filepath.Join(t.TempDir(), "trace.txt")
	if err := os.WriteFile(file, []byte(trace), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := call("import", "nextflow", file, "--workflow", "run", "--database-url", database); code != 0 {
		t.Fatal(errOut)
	}
	redis := testdb.StartRedis(t)
	_, want, _ := strings.Cut(ask(t, start(t, "serve", "--listen", "127.0.0.1:0", "--database-url", database)), `"bucket"`)
	for name, c := range map[string]struct {
		args  []string
		warns int
	}{
		"nowhere":           {[]string{"--cache-bytes", "0"}, 0},
		"no room":           {[]string{"--cache-bytes", "1"}, 0},
		"in Redis":          {[]string{"--redis-url", redis.URL(redis.Address())}, 0},
		"in a Redis missed": {[]string{"--redis-url", redis.URL("127.0.0.1:1")}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--database-url", database}, c.args...)...)
			for range 5 {
				if _, got, _ := strings.Cut(ask(t, server), `"bucket"`); withoutTime(got) != withoutTime(want) {
					t.Errorf("%s\nwant\n%s", got, want)
				}
			}
			if err := server.process.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := server.wait(); err != nil {
				t.Errorf("tasktide ended with %v", err)
			}
			if log := server.stderr.String(); strings.Count(log, "Redis does not answer") != c.warns || strings.Contains(log, "p@ss") ||
				strings.Contains(log, "p%40ss") || c.warns == 0 && strings.Contains(log, "Redis") {
				t.Errorf("logged: %s", log)
			}
		})
	}
}

func ask(t *testing.T, server *program) string {
	t.Helper()
	status, body := server.get("/api/v2/workflow/1/task_concurrency?time_range=all&format=columns")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	return body
}

// withoutTime leaves out when an answer was worked out, and what stands after it.
func withoutTime(body string) string {
	before, _, _ := strings.Cut(body, `"generated_at"`)
	return before
}
