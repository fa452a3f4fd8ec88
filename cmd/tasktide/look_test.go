package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"image/png"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// contents returns every file of a folder.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			var content []byte
			content, err = os.ReadFile(path)
			files[path] = string(content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// looks are calls of every command that reads, with what they print.
var looks = []struct {
	args []string
	says string
}{
	{[]string{"workflow", "list"}, `1 +DONE +nextflow +- +2020-01-02T03:00:00Z .* run\n$`},
	{[]string{"workflow", "list", "--search", "nothing"}, `^ID .*\n$`},
	{[]string{"workflow", "list", "--quiet"}, `^1\n$`},
	{[]string{"workflow", "list", "--json"}, `"workflows":\s*\[\s*\{`},
	{[]string{"workflow", "show", "1"}, `(?s)^id +1\n.*templates +align\n`},
	{[]string{"workflow", "show", "1", "--json"}, `"task_templates": \[\n    "align"`},
	{[]string{"concurrency", "1"}, `2020-01-02 03:00:00 +\d`}, // it ended long before the usual window
	{[]string{"concurrency", "1", "--last", "24h"}, `^( *\d{4}-.* 0 +0\n|.*BUCKET.*\n)*$`},
	{[]string{"export", "1", "--csv", "-"}, `(?s)^# workflow: run \(id 1\).*2020-01-02T03:00:00Z`},
	{[]string{"concurrency", "1", "--last", "all"}, `2020-01-02 03:00:00 +\d`},
	{[]string{"concurrency", "1", "--last", "all", "--stat", "peak", "--json"}, `(?s)"stat":\s*"peak".*"peak":`},
	{[]string{"concurrency", "1", "--start", "2020-01-02T03:00:00Z", "--end", "2020-01-02T03:02:00Z", "--csv"}, `(?s)bucket_start,.*\r\n2020-01-02T03:01:00Z,`},
	{[]string{"concurrency", "1", "--last", "all", "--chart"}, `(?s)^run\n.*◆ peak of the total: \d+ at 2020-01-02 03:0`},
	{[]string{"export", "1", "--last", "all", "--svg", "-"}, `^<svg `},
	{[]string{"export", "1", "--last", "all", "--csv", "-"}, `(?s)^# workflow: run \(id 1\).*align`},
}

// Commands that read change nothing: neither the database nor its folder's other files, but for SQLite's own.
func TestReadingChangesNothing(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8")
	database := importTrace(t)
	folder := filepath.Dir(strings.TrimPrefix(database, "sqlite://"))
	before := contents(t, folder)
	for _, look := range looks {
		says(t, 0, look.says, "", append(look.args, "--database-url", database)...)
	}
	after := contents(t, folder)
	for path := range after {
		if strings.HasSuffix(path, "-shm") || strings.HasSuffix(path, "-wal") && after[path] == "" {
			delete(after, path)
		}
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("-before +after:\n%.2000s", diff)
	}
}

// A database and a server that serves it answer the same.
func TestADatabaseAndItsServerAgree(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8")
	database := importTrace(t)
	server := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0", "--base-path", "/tools/tasktide/")
	// When an answer was computed is the only difference.
	computed := regexp.MustCompile(`20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d+(Z| UTC)`)
	for _, look := range looks {
		_, local, _ := call(append(look.args, "--database-url", database)...)
		_, remote, _ := call(append(look.args, "--server", server.url+"/tools/tasktide")...)
		if diff := cmp.Diff(computed.ReplaceAllString(local, "X"), computed.ReplaceAllString(remote, "X")); diff != "" {
			t.Errorf("%v (-database +server):\n%s", look.args, diff)
		}
		if !strings.Contains(strings.Join(look.args, " "), "--json") {
			continue
		}
		if !json.Valid([]byte(local)) {
			t.Errorf("%v prints no JSON document: %s", look.args, local)
		}
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	database, folder := importTrace(t), t.TempDir()
	old := importTrace(t)
	rewrite(t, old, "DELETE FROM schema_version WHERE version > 1")
	none := filepath.Join(folder, "none.db")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }))
	defer other.Close()
	token := filepath.Join(folder, "token")
	if err := os.WriteFile(token, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(folder, "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	guarded := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0", "--auth", "session", "--session-secret", "s")
	of := func(args ...string) []string { return append(args, "--database-url", database) }
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"workflow", "list", "--database-url", "sqlite://" + none}, 1, "there is no database .*--database-url.*--server"},
		{[]string{"workflow", "list", "--database-url", old}, 1, "tasktide migrate"},
		{[]string{"workflow", "list", "--server", closed}, 1, "no server listens at " + closed + ` \(connection refused\); start one with tasktide serve`},
		{[]string{"workflow", "list", "--server", other.URL}, 1, "does not answer as a Tasktide server does"},
		{[]string{"workflow", "list", "--server", "localhost:8070"}, 1, "--server must be a URL"},
		{[]string{"workflow", "list", "--server", "http://ada:s3cret@localhost"}, 1, "TASKTIDE_TOKEN"},
		{[]string{"workflow", "list", "--server", guarded.url}, 1, "requires authentication; set TASKTIDE_TOKEN"},
		{[]string{"workflow", "list", "--server", guarded.url, "--token", "s3cret"}, 1, "does not accept the token of TASKTIDE_TOKEN or --token"},
		{[]string{"workflow", "list", "--server", guarded.url, "--token-file", token}, 1, "does not accept the token of the file " + token},
		{[]string{"workflow", "list", "--server", guarded.url, "--token-file", empty}, 1, "holds no token"},
		{[]string{"workflow", "list", "--server", guarded.url, "--token-file", token, "--token", "s3cret"}, 1, "not both"},
		{[]string{"workflow", "list", "--server", guarded.url, "--token-file", none}, 1, "cannot be read"},
		{of("workflow", "list", "--limit", "0"), 1, "limit must be a whole number from 1 to 200"},
		{of("workflow", "list", "--status", "X"), 1, `X`},
		{of("workflow", "list", "--timeout", "0s"), 1, "--timeout must be more than 0"},
		{of("workflow", "show", "7"), 1, "7"},
		{of("workflow", "show", "x"), 2, "--help"},
		{of("concurrency", "7"), 1, "7"},
		{of("concurrency", "1", "--last", "2h"), 2, "1h"},
		{of("concurrency", "1", "--last", "1h", "--start", "2020-01-02T03:00:00Z"), 1, "give either --last, or --start and --end"},
		{of("concurrency", "1", "--end", "2020-01-02T03:00:00Z"), 1, "--end needs --start"},
		{of("concurrency", "1", "--start", "yesterday"), 1, "not an instant"},
		{of("concurrency", "1", "--status", "Z"), 1, "PENDING"},
		{of("concurrency", "1", "--template", "none, of them"), 1, "none, of them"},
		{of("concurrency", "1", "--json", "--csv"), 2, "--json and --csv can't be used together"},
		{of("concurrency", "1", "--chart", "--width", "20"), 1, "--width must be from 40 to 400"},
		{of("concurrency", "1", "--chart", "--height", "2"), 1, "--height must be from 6 to 100"},
		{of("concurrency", "1", "--chart", "--top", "900"), 1, "smaller --top"},
		{of("export", "1"), 1, "nothing to write: give --png FILE"},
		{of("export", "1", "--png", "-", "--svg", "-"), 1, "only one thing can be written to standard output"},
		{of("export", "1", "--png", folder), 1, "it is a directory"},
		{of("export", "1", "--png", filepath.Join(folder, "no", "x.png")), 1, "cannot write"},
		{of("export", "1", "--png", "x.png", "--width", "9"), 1, "--width must be from 320 to 4000"},
	} {
		code, out, errOut := call(c.args...)
		last := errOut[strings.LastIndex(strings.TrimSpace(errOut), "\n")+1:]
		if code != c.code || out != "" || !regexp.MustCompile(c.says).MatchString(last) || strings.Contains(errOut, "s3cret") {
			t.Errorf("%v exits %d with %q and %q; want %d and %q", c.args, code, out, errOut, c.code, c.says)
		}
	}
	if after := contents(t, folder); len(after) != 2 {
		t.Errorf("files were made: %v", after)
	}
}

// A server that does not answer ends the command when its time is over, and so does a person.
func TestReadingTakesABoundedTime(t *testing.T) {
	asked := make(chan struct{}, 2)
	ended := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{}; <-ended }))
	defer silent.Close()
	defer close(ended)
	says(t, 1, "^$", "there was no complete answer within 50ms; allow more with --timeout", "workflow", "list", "--server", silent.URL, "--timeout", "50ms")
	<-asked
	ctx, interrupt := context.WithCancelCause(t.Context())
	go func() { <-asked; interrupt(interruption{syscall.SIGINT}) }()
	var out, errOut bytes.Buffer
	code := run(ctx, []string{"workflow", "list", "--server", silent.URL}, &out, &errOut)
	if code != 130 || errOut.String() != "tasktide: interrupted: the result is not complete; nothing was changed\n" || out.String() != "" {
		t.Errorf("interrupted, it exits %d with %q %q", code, out.String(), errOut.String())
	}
}

func TestExport(t *testing.T) {
	database, folder := importTrace(t), t.TempDir()
	file := func(name string) string { return filepath.Join(folder, name) }
	// What is there is replaced, and keeps who may read it; a link stays one.
	if err := os.WriteFile(file("real.png"), []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.png", file("link.png")); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := call("export", "1", "--last", "all", "--database-url", database, "--png", file("link.png"), "--svg", file("a.svg"),
		"--csv", file("a.csv"), "--json")
	if code != 0 {
		t.Fatal(errOut)
	}
	var document exportDocument
	if err := json.Unmarshal([]byte(out), &document); err != nil || len(document.Files) != 3 || document.WorkflowID != 1 {
		t.Errorf("it prints %s (%v)", out, err)
	}
	made := contents(t, folder)
	if len(made) != 4 {
		t.Errorf("%d files are there", len(made))
	}
	for _, one := range document.Files {
		if int64(len(made[one.File])) != one.Bytes {
			t.Errorf("%s has %d bytes, not %d", one.File, len(made[one.File]), one.Bytes)
		}
	}
	picture, err := png.DecodeConfig(strings.NewReader(made[file("real.png")]))
	if err != nil || picture.Width != 2*(1200+48) {
		t.Errorf("the PNG is %d wide: %v", picture.Width, err)
	}
	if info, err := os.Lstat(file("link.png")); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(file("real.png")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the PNG may be read by %v, %v", info.Mode(), err)
	}
	table := csv.NewReader(strings.NewReader(made[file("a.csv")]))
	table.FieldsPerRecord = -1 // comments have one field
	rows, err := table.ReadAll()
	header := slices.IndexFunc(rows, func(row []string) bool { return row[0] == "bucket_start" })
	if err != nil || header < 0 || len(rows) < header+3 {
		t.Errorf("the table is %q, %v", made[file("a.csv")], err)
	}
	// What fails leaves what is there as it is.
	says(t, 1, "^$", "7", "export", "7", "--database-url", database, "--png", file("real.png"), "--csv", file("a.csv"))
	says(t, 1, "^$", "template", "export", "1", "--template", "none", "--database-url", database, "--csv", file("a.csv"))
	if diff := cmp.Diff(made, contents(t, folder)); diff != "" {
		t.Errorf("a failed export changes files:\n%.1000s", diff)
	}
	// What is no file is not replaced by one.
	says(t, 0, "^$", "Wrote /dev/null", "export", "1", "--database-url", database, "--csv", "/dev/null")
	if info, err := os.Stat("/dev/null"); err != nil || info.Mode().IsRegular() {
		t.Fatalf("/dev/null is %v, %v", info.Mode(), err)
	}
}

// A table that is cut off on its way is an error, and no file.
func TestACutOffTableIsNoFile(t *testing.T) {
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
		_, _ = io.WriteString(w, strings.Repeat("2020-01-02T03:01:00Z,1\r\n", 10_000))
		panic(http.ErrAbortHandler)
	}))
	defer cut.Close()
	folder := t.TempDir()
	says(t, 1, "^$", "was cut off", "export", "1", "--last", "all", "--server", cut.URL, "--csv", filepath.Join(folder, "a.csv"))
	if made := contents(t, folder); len(made) != 0 {
		t.Errorf("it leaves %d files", len(made))
	}
}

// The locale, NO_COLOR and --color decide what a chart is made of; in a file it has no colour.
func TestWhatAChartIsMadeOf(t *testing.T) {
	database := importTrace(t)
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG", "NO_COLOR", "COLORTERM", "COLUMNS"} {
		t.Setenv(name, "")
	}
	draw := func(args ...string) string {
		t.Helper()
		code, out, errOut := call(append([]string{"concurrency", "1", "--last", "all", "--chart", "--database-url", database}, args...)...)
		if code != 0 {
			t.Fatal(errOut)
		}
		return out
	}
	if drawn := draw(); strings.IndexFunc(drawn, func(r rune) bool { return r > 126 || r == '\x1b' }) >= 0 {
		t.Errorf("in the locale C it draws\n%s", drawn)
	}
	t.Setenv("LANG", "en_GB.UTF-8")
	if drawn := draw(); !strings.Contains(drawn, "◆") || strings.Contains(drawn, "\x1b") {
		t.Errorf("into a file it draws\n%s", drawn)
	}
	if drawn := draw("--ascii"); strings.Contains(drawn, "◆") {
		t.Errorf("in ASCII it draws\n%s", drawn)
	}
	if drawn := draw("--color", "always"); !strings.Contains(drawn, "\x1b[0;48;5;") {
		t.Errorf("in colour it draws %q", drawn)
	}
	t.Setenv("COLORTERM", "truecolor")
	if drawn := draw("--color", "always"); !strings.Contains(drawn, ";48;2;") {
		t.Errorf("in true colour it draws %q", drawn)
	}
	t.Setenv("COLUMNS", "57")
	longest := 0
	for line := range strings.Lines(draw()) {
		longest = max(longest, len([]rune(strings.TrimRight(line, "\n"))))
	}
	if longest != 57 {
		t.Errorf("in 57 columns it draws %d", longest)
	}
}
