package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"tasktide/internal/store/testdb"
)

// asProgram makes the test binary be tasktide itself, so that tests can start, interrupt and kill the
// real program without building it.
const asProgram = "TASKTIDE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	clearSettings()
	os.Exit(testdb.Main(m))
}

// clearSettings removes what the environment sets, so that the tests run the same everywhere. What names a server to test
// with stays.
func clearSettings() {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "TASKTIDE_") && !strings.HasPrefix(name, "TASKTIDE_TEST_") {
			_ = os.Unsetenv(name) // it fails for no name that the environment has
		}
	}
}

// program is a tasktide process that serves.
type program struct {
	t       *testing.T
	process *exec.Cmd
	url     string
	said    string // its first line
	stderr  *bytes.Buffer
	exited  chan error
}

var address = regexp.MustCompile(`http://[0-9.]+:[0-9]+`)

// start starts tasktide with the arguments and waits until it says where it serves.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	p := &program{t: t, process: exec.Command(os.Args[0], args...), stderr: &bytes.Buffer{}, exited: make(chan error, 1)}
	p.process.Env = append(os.Environ(), asProgram+"=1")
	p.process.Stderr = p.stderr
	out, err := p.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.process.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	go func() {
		_, _ = io.Copy(io.Discard, out)
		p.exited <- p.process.Wait()
	}()
	t.Cleanup(func() { _ = p.process.Process.Kill() })
	p.said, p.url = line, address.FindString(line)
	if err != nil || p.url == "" {
		t.Fatalf("tasktide %s said %q (%v)\n%s", strings.Join(args, " "), line, err, p.stderr)
	}
	return p
}

// wait waits until the process is gone and returns how it ended.
func (p *program) wait() error {
	p.t.Helper()
	select {
	case err := <-p.exited:
		return err
	case <-time.After(time.Minute):
		p.t.Fatal("tasktide did not end within a minute")
		return nil
	}
}

// eventually waits for a condition, a minute at most.
func eventually(t *testing.T, otherwise string, condition func() bool) {
	t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(time.Minute)
	for !condition() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("%s a minute later", otherwise)
		}
	}
}

func (p *program) get(path string) (status int, body string) {
	p.t.Helper()
	response, err := http.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

// call runs a command to its end and returns its exit code and what it printed.
func call(args ...string) (code int, out, errOut string) {
	var stdout, stderr bytes.Buffer
	code = run(context.Background(), args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func tempDatabase(t *testing.T) string {
	t.Helper()
	return "sqlite://" + filepath.Join(t.TempDir(), "runs.db")
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	parser, err := newParser(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	commands := parser.Model.Leaves(true)
	if len(commands) < 10 {
		t.Errorf("only %d commands", len(commands))
	}
	for _, command := range commands {
		args := strings.Fields(command.Path())
		code, out, errOut := call(append(args, "--help")...)
		_, examples, _ := strings.Cut(out, "Example")
		if code != 0 || !strings.Contains(examples, "tasktide "+strings.Join(args, " ")) {
			t.Errorf("%v --help exits %d with %q%q", args, code, out, errOut)
		}
	}
}

func TestHelp(t *testing.T) {
	parser, err := newParser(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	code, all, errOut := call()
	if code != 0 || errOut != "" {
		t.Errorf("without arguments it exits %d with %q", code, errOut)
	}
	for _, group := range groups {
		if !strings.Contains(all, "\n"+group.Title+"\n") {
			t.Errorf("the group %s is not listed", group.Title)
		}
	}
	for _, command := range parser.Model.Leaves(true) {
		path := strings.TrimPrefix(command.FullPath(), "tasktide ")
		if !strings.Contains(all, "  "+path+" ") {
			t.Errorf("%s is not listed", path)
		}
	}
	if _, help, _ := call("help"); help != all {
		t.Errorf("help prints %q", help)
	}
	for _, args := range [][]string{{"audit", "verify"}, {"token"}, {"export"}} {
		_, want, _ := call(append(args, "--help")...)
		if code, got, errOut := call(append([]string{"help"}, args...)...); code != 0 || got != want || errOut != "" {
			t.Errorf("help %v exits %d with %q %q, not %q", args, code, got, errOut, want)
		}
	}
	says(t, 2, "^$", `did you mean "verify"\?`, "help", "audit", "verfiy")
	says(t, 2, "^$", `did you mean "serve"\?`, "help", "sreve")
	for _, node := range parser.Model.Children {
		if len(node.Children) == 0 {
			continue
		}
		says(t, 0, `(?s)^Usage: tasktide `+node.Name+` .*Examples:.*tasktide `+node.Name+" ", "^$", node.Name, "--help")
		if node.DefaultCmd != nil {
			continue
		}
		// A group alone is a wrong call, and gets its help: on standard error.
		says(t, 2, "^$", `(?s)^Usage: tasktide `+node.Name+` .*Examples:.*tasktide `+node.Name+" ", node.Name)
	}
}

func TestVersionTellsCommitAndDate(t *testing.T) {
	version, commit, date = "v1.2.3", "0123abc", "2026-01-02T03:04:05Z"
	t.Cleanup(func() { version, commit, date = "dev", "unknown", "unknown" })
	for _, args := range []string{"--version", "version"} {
		if code, out, _ := call(args); code != 0 || out != "tasktide v1.2.3 (commit 0123abc of 2026-01-02T03:04:05Z)\n" {
			t.Errorf("%s exits %d with %q", args, code, out)
		}
	}
}

// Kubernetes sets variables for a service that is called tasktide; what they hold may be a secret.
func TestUnknownSettingsInTheEnvironmentAreNamed(t *testing.T) {
	t.Setenv("TASKTIDE_PORT", "tcp://10.0.0.1:8070")
	t.Setenv("TASKTIDE_LISTNE", "s3cret")
	t.Setenv("TASKTIDE_DATABASE", "s3cret")
	t.Setenv("TASKTIDE_LISTEN", "127.0.0.1:0")
	code, _, errOut := call("version")
	if code != 0 || strings.Count(errOut, "WARN") != strings.Count(strings.Join(os.Environ(), "\n"), "TASKTIDE_")-1 {
		t.Errorf("exits %d with %q", code, errOut)
	}
	for _, want := range []string{
		"name=TASKTIDE_PORT\n", "name=TASKTIDE_LISTNE did_you_mean=TASKTIDE_LISTEN\n", "name=TASKTIDE_DATABASE did_you_mean=TASKTIDE_DATABASE_URL\n",
	} {
		if !strings.Contains(errOut, want) {
			t.Errorf("%q does not tell %q", errOut, want)
		}
	}
	if strings.Contains(errOut, "s3cret") || strings.Contains(errOut, "10.0.0.1") {
		t.Errorf("%q tells a value", errOut)
	}
}

func TestWrongCallsAreOneSentence(t *testing.T) {
	directory := t.TempDir()
	garbage := filepath.Join(directory, "garbage.db")
	if err := os.WriteFile(garbage, bytes.Repeat([]byte("not a database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"serve", "--database-url", "oracle://x"}, 1, "sqlite://, mysql:// or postgres://"},
		{[]string{"serve", "--database-url", "sqlite://" + filepath.Join(directory, "no", "such", "x.db")}, 1, "no folder"},
		{[]string{"serve", "--database-url", "sqlite://" + garbage}, 1, "not a"},
		{[]string{"serve", "--database-url", "sqlite://" + filepath.Join(directory, "a.db"), "--listen", "nowhere"}, 1, "--listen"},
		{[]string{"serve", "--database-url", "sqlite://" + filepath.Join(directory, "a.db"), "--redis-url", "http://x"}, 1, "redis://"},
		{[]string{"serve", "--database-url", "sqlite://" + filepath.Join(directory, "a.db"), "--cache-bytes=-1"}, 1, "--cache-bytes"},
		{[]string{"import", "nextflow", filepath.Join(directory, "none.txt"), "--workflow", "x"}, 1, "none.txt"},
		{[]string{"import", "nextflow", garbage, "--workflow", ""}, 1, "--workflow"},
		{[]string{"serve", "--base-path", "//elsewhere.example"}, 2, "like /tasktide/"},
		{[]string{"serve", "--telemetry", "some"}, 2, "on"},
		{[]string{"serve", "--nonsense"}, 2, "--help"},
		{[]string{"serve", "--listne", "127.0.0.1:0"}, 2, `unknown flag --listne, did you mean "--listen"?`},
		{[]string{"sreve"}, 2, `did you mean "serve"?`},
		{[]string{"audit", "verfiy"}, 2, `did you mean "verify"?`},
		{[]string{"import", "nextflow", garbage}, 2, "--workflow"},
	} {
		code, _, errOut := call(c.args...)
		last := errOut[strings.LastIndex(strings.TrimSpace(errOut), "\n")+1:]
		if code != c.code || !strings.Contains(last, c.says) {
			t.Errorf("%v exits %d with %q; want %d and %q", c.args, code, last, c.code, c.says)
		}
	}
}

const trace = "task_id\tname\tstatus\tsubmit\tduration\trealtime\n" +
	"1\talign (a)\tCOMPLETED\t2026-01-02 03:00:00.000\t1m\t30s\n" +
	"2\talign (b)\tFAILED\t2026-01-02 03:00:00.000\t50s\t40s\n" +
	"3\talign (b)\tCOMPLETED\t2026-01-02 03:01:00.000\t20s\t10s\n"

func TestImportTwiceAndDamaged(t *testing.T) {
	database := tempDatabase(t)
	file := filepath.Join(t.TempDir(), "trace.txt")
	if err := os.WriteFile(file, []byte(trace), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := call("import", "nextflow", file, "--workflow", "run", "--database-url", database)
	if code != 0 || out != "1\n" {
		t.Fatalf("import exits %d with %q %q", code, out, errOut)
	}
	code, out, errOut = call("import", "nextflow", file, "--workflow", "run", "--database-url", database)
	if code != 1 || out != "" || !strings.Contains(errOut, "already") {
		t.Errorf("the second import exits %d with %q %q", code, out, errOut)
	}
	damaged := filepath.Join(t.TempDir(), "damaged.txt")
	if err := os.WriteFile(damaged, []byte(strings.Replace(trace, "50s", "50 parsecs", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut = call("import", "nextflow", damaged, "--workflow", "damaged", "--database-url", database)
	if code != 1 || out != "" || !strings.Contains(errOut, "line 3") || !strings.Contains(errOut, "duration") {
		t.Errorf("a damaged file exits %d with %q %q", code, out, errOut)
	}
	server := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")
	if _, body := server.get("/api/v2/workflows"); strings.Count(body, `"id"`) != 1 {
		t.Errorf("after one good import the workflows are %s", body)
	}
}

// A row that somebody changed behind the program's back is told, not hidden.
func TestABrokenChainIsLogged(t *testing.T) {
	database := tempDatabase(t)
	file := filepath.Join(t.TempDir(), "trace.txt")
	if err := os.WriteFile(file, []byte(trace), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := call("import", "nextflow", file, "--workflow", "run", "--database-url", database); code != 0 {
		t.Fatal(errOut)
	}
	raw, err := sql.Open("sqlite", strings.TrimPrefix(database, "sqlite://"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.ExecContext(t.Context(), "DELETE FROM task_status_audit WHERE new_status = 'R'"); err != nil {
		t.Fatal(err)
	}
	server := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")
	if status, body := server.get("/api/v2/workflow/1/task_concurrency?time_range=all"); status != http.StatusOK {
		t.Errorf("the timeline of a broken chain: %d %s", status, body)
	}
	if err := server.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.wait(); err != nil {
		t.Errorf("tasktide ended with %v", err)
	}
	if log := server.stderr.String(); !strings.Contains(log, "audit is broken") || !strings.Contains(log, "task_template_name=align") {
		t.Errorf("the log does not tell of the broken chain: %q", log)
	}
}

func TestARequestUnderWayAtSIGTERMGetsItsAnswer(t *testing.T) {
	server := start(t, "serve", "--database-url", tempDatabase(t), "--listen", "127.0.0.1:0")
	host := strings.TrimPrefix(server.url, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const body = `{"name": "late"}`
	fmt.Fprintf(conn, "POST /api/v3/tool HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", host, len(body))
	// The server says this when a handler asks for the body: the request is under way.
	answer := bufio.NewReader(conn)
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the server said %q, %v", line, err)
	}
	if _, err := answer.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := server.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server still accepts connections after SIGTERM", func() bool {
		other, err := net.Dial("tcp", host)
		if err == nil {
			_ = other.Close()
		}
		return err != nil
	})
	if _, err := io.WriteString(conn, body); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(answer, nil)
	if err != nil {
		t.Fatalf("the request under way got no answer: %v", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the request under way was answered with %s", response.Status)
	}
	if err := server.wait(); err != nil {
		t.Errorf("tasktide ended with %v\n%s", err, server.stderr)
	}
}

func TestDemoMoves(t *testing.T) {
	server := start(t, "demo", "--listen", "127.0.0.1:0")
	if _, body := server.get("/api/v2/server"); !strings.Contains(body, `"demo":true`) {
		t.Errorf("the server says %s", body)
	}
	active := regexp.MustCompile(`"active":true`)
	entered := regexp.MustCompile(`"concurrent_count":[1-9]`)
	workflow := regexp.MustCompile(`"id":(\d+)`)
	eventually(t, "nothing of the demo runs live", func() bool {
		_, list := server.get("/api/v2/workflows?limit=1")
		id := workflow.FindStringSubmatch(list)
		if len(id) < 2 || !active.MatchString(list) {
			return false
		}
		_, body := server.get("/api/v2/workflow/" + id[1] + "/task_concurrency?time_range=1h&stat=entered&status=R")
		return entered.MatchString(body)
	})
	if err := server.process.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := server.wait(); err != nil {
		t.Errorf("the demo ended with %v\n%s", err, server.stderr)
	}
}
