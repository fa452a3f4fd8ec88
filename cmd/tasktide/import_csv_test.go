package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/testdb"
)

// spans has a task that ran before the log began, one that is tried twice, and two that still ran when it
// ended, at 03:02:00.
const spans = "status,task,template,start,end\n" +
	",align (a),align,,2026-01-02T03:00:30Z\n" +
	"ERROR_FATAL,align (b),align,2026-01-02T04:00:00+01:00,2026-01-02T03:00:50Z\n" +
	"D,align (b),align,1767322860.5,1767322880\n" +
	",\"sort, all\",sort,2026-01-02T03:01:00Z,\n" +
	"R,count,count,2026-01-02T03:02:00Z,\n"

func writeFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "runs.csv")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestImportCSV asks the running server for numbers that follow from the rows alone, on every database.
func TestImportCSV(t *testing.T) {
	for _, kind := range testdb.Kinds() {
		t.Run(string(kind), func(t *testing.T) { importSpans(t, kind.URL(t)) })
	}
}

func importSpans(t *testing.T, database string) {
	t.Helper()
	file := writeFile(t, spans)
	for i, more := range [][]string{nil, {"--open-until", "now"}} {
		name := fmt.Sprintf("run %d", i+1)
		code, out, errOut := call(append([]string{"import", "csv", file, "--workflow", name, "--database-url", database}, more...)...)
		if code != 0 || out != fmt.Sprintf("%d\n", i+1) || !strings.Contains(errOut, "Imported 4 tasks") {
			t.Fatalf("import %v exits %d with %q %q", more, code, out, errOut)
		}
	}
	code, out, errOut := call("import", "csv", file, "--workflow", "run 1", "--database-url", database)
	if code != 1 || out != "" || !strings.Contains(errOut, "already") {
		t.Errorf("the second import exits %d with %q %q", code, out, errOut)
	}
	says(t, 0, "^Verified 2 workflows, 8 tasks, .* 0 defects", "^$", "audit", "verify", "--database-url", database)

	server := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")
	var over columns
	server.ask(t, "/api/v2/workflow/1/task_concurrency?time_range=all&format=columns&granularity=10s&stat=start", &over)
	want := map[string]string{
		"align": "[2 2 2 1 1 0 0 1 0 0 0 0 0] 2 at 2026-01-02T03:00:00Z, 99.5 s",
		"sort":  "[0 0 0 0 0 0 1 1 1 1 1 1 0] 1 at 2026-01-02T03:01:00Z, 60 s",
		"count": "[0 0 0 0 0 0 0 0 0 0 0 0 0] 0 at , 0 s",
	}
	for _, s := range over.Series {
		if got := fmt.Sprintf("%v %s", s.Values, s); got != want[s.Name] {
			t.Errorf("%s is %s, want %s", s.Name, got, want[s.Name])
		}
	}
	if total := over.Total.String(); len(over.Series) != len(want) || total != "2 at 2026-01-02T03:00:00Z, 159.5 s" {
		t.Errorf("of %d templates the total is %s", len(over.Series), total)
	}

	// What runs until now is counted in the last hour, long after the log.
	var live columns
	server.ask(t, "/api/v2/workflow/2/task_concurrency?time_range=1h&format=columns&stat=start", &live)
	if len(live.Series) != 2 || slices.Min(live.Total.Values) != 2 || slices.Max(live.Total.Values) != 2 {
		t.Errorf("of %d templates there run %v", len(live.Series), live.Total.Values)
	}
	if _, body := server.get("/api/v2/workflows/2"); !strings.Contains(body, `"active":true`) || !strings.Contains(body, `"status_name":"RUNNING"`) {
		t.Errorf("the workflow that runs until now is %s", body)
	}
	if _, body := server.get("/api/v2/workflows/1"); !strings.Contains(body, `"active":false`) || !strings.Contains(body, `"tool":"csv"`) ||
		!strings.Contains(body, `"status_name":"INCOMPLETE"`) {
		t.Errorf("the workflow that is over is %s", body)
	}
}

func TestADamagedCSVIsNotStored(t *testing.T) {
	database := tempDatabase(t)
	damage := func(from, to string) string { return writeFile(t, strings.Replace(spans, from, to, 1)) }
	for _, c := range []struct{ file, says string }{
		{damage("template", "step"), `line 1, column "step"`},
		{damage("03:01:00Z", "25:00:00Z"), `line 5, column "start"`},
		{damage("1767322860.5", "1767322849.999999"), `line 4, column "start": the attempt at the same task on line 3`},
		{damage("1767322880", "1767322860"), `line 4, column "end"`},
		{damage("sort,2026", "2026"), `line 5, column "end": missing`},
		{filepath.Join(t.TempDir(), "none.csv"), "none.csv"},
		{t.TempDir(), "directory"},
	} {
		code, out, errOut := call("import", "csv", c.file, "--workflow", "damaged", "--database-url", database)
		if code != 1 || out != "" || !strings.Contains(errOut, c.says) || strings.Count(errOut, "\n") != 1 {
			t.Errorf("it exits %d with %q %q; want %q", code, out, errOut, c.says)
		}
	}
	says(t, 1, "^$", "--workflow", "import", "csv", writeFile(t, spans), "--workflow", " ", "--database-url", database)
	says(t, 2, "", `(?s)--open-until.*"log","now"`, "import", "csv", writeFile(t, spans), "--workflow", "x", "--open-until", "later", "--database-url", database)

	server := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")
	if status, body := server.get("/api/v2/workflows"); status != http.StatusOK || strings.Contains(body, `"id"`) {
		t.Errorf("after no good import the workflows are %d %s", status, body)
	}
}

// A file that is too large is refused as such, and not as one that is cut off.
func TestTheLogsBound(t *testing.T) {
	file := writeFile(t, spans)
	wanting := func(most int64, parsed error) (hash string, err error) {
		return readLog(t.Context(), file, most, func(r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return errors.Join(err, parsed)
		})
	}
	size := int64(len(spans))
	hash, err := wanting(size, nil)
	if other, otherErr := wanting(size+1, nil); err != nil || otherErr != nil || hash != other || len(hash) != 64 {
		t.Errorf("%q and %q, %v and %v", hash, other, err, otherErr)
	}
	damaged := errors.New("damaged")
	for _, parsed := range []error{nil, damaged} {
		if hash, err := wanting(size-1, parsed); hash != "" || jobmon.ErrorCode(err) != jobmon.CodeTooLarge {
			t.Errorf("one byte more than allowed: %q, %v", hash, err)
		}
	}
	if hash, err := wanting(size, damaged); hash != "" || !errors.Is(err, damaged) || !strings.Contains(err.Error(), file) {
		t.Errorf("a damaged file: %q, %v", hash, err)
	}
}
