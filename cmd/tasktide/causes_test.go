package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/testdb"
	"tasktide/internal/testfiles"
)

// trouble is a cause that is made and mended.
type trouble struct {
	cause      jobmon.Cause
	begin, end func()
	says       string // in place of the cause's sentence, when the database is opened
	quiet      bool   // an import still finds room
	unseen     bool   // only what reads all of it finds it
}

// troubled is a server whose database has trouble.
type troubled struct {
	t        *testing.T
	url      string
	database jobmon.Database // as an operator reads of it
	server   *program
	requests int
}

// TestEachCauseIsNamed makes everything happen to a database that Tasktide has a sentence for, and demands it in
// answers, in the health of the server, of its log, of config check and of a command; and that all of it ends.
func TestEachCauseIsNamed(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		testfiles.NotJudged(t, "only root can mount a small disk; run the tests as root to see what a full one does")
	}
	for _, kind := range []testdb.Kind{testdb.SQLite, testdb.MariaDB, testdb.PostgreSQL} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			map[testdb.Kind]func(*testing.T){
				testdb.SQLite: troubleSQLite, testdb.MariaDB: troubleMariaDB, testdb.PostgreSQL: troublePostgres,
			}[kind](t)
		})
	}
}

// The documentation has each sentence.
func TestTheDocumentationListsEachCause(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "databases.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, cause := range jobmon.Causes() {
		problem, file, _ := strings.Cut(cause.Sentence(jobmon.Database{Name: "x", File: true}), "; ")
		_, server, _ := strings.Cut(cause.Sentence(jobmon.Database{Name: "x"}), "; ")
		if file == server {
			file = "–"
		}
		row := fmt.Sprintf("| `%s` | %s | %s | %s |", cause, strings.TrimPrefix(problem, "x "), file, server)
		if !strings.Contains(string(text), row) {
			t.Errorf("docs/databases.md has no row %q", row)
		}
	}
}

func (d *troubled) start() {
	d.t.Helper()
	d.server = start(d.t, "serve", "--database-url", d.url, "--migrate", "--listen", "127.0.0.1:0", "--rate-limit", "0")
}

// stop stops the server and demands that its log has a line for each cause.
func (d *troubled) stop(causes ...jobmon.Cause) {
	d.t.Helper()
	if err := d.server.process.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Fatal(err)
	}
	if err := d.server.wait(); err != nil {
		d.t.Errorf("tasktide ended with %v", err)
	}
	if log := d.server.stderr.String(); strings.Count(log, "the roll-up failed and is retried") > 2*len(causes) {
		d.t.Errorf("the log tells of outages again and again:\n%.3000s", log)
	}
	for _, cause := range causes {
		if log := d.server.stderr.String(); !strings.Contains(log, " cause="+string(cause)+" detail=") {
			d.t.Errorf("the log does not tell of %s:\n%.3000s", cause, log)
		}
	}
}

// write has the server store something new of some hundred bytes.
func (d *troubled) write() (status int, message string) {
	d.t.Helper()
	d.requests++
	body := fmt.Sprintf(`{"name": "%d %s"}`, d.requests, strings.Repeat("x", 200))
	response, err := http.Post(d.server.url+"/api/v3/tool", "application/json", strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Error struct{ Code, Message string }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		d.t.Error(err)
	}
	if status := response.StatusCode; status == http.StatusServiceUnavailable && answer.Error.Code != "unavailable" ||
		status == http.StatusLocked && answer.Error.Code != "contention" {
		d.t.Errorf("%d has the code %s", status, answer.Error.Code)
	}
	return response.StatusCode, answer.Error.Message
}

// failing returns the cause for which writes fail by the health of the server, and "" when none does. When nothing can
// be read either, it is the sentence.
func (d *troubled) failing() string {
	d.t.Helper()
	status, body := d.server.get("/api/v2/health")
	var answer struct {
		Error    struct{ Message string }
		Database struct {
			Write *struct{ Cause, Message string } `json:"write_failure"`
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		d.t.Fatal(err)
	}
	switch {
	case status != http.StatusOK:
		return answer.Error.Message
	case answer.Database.Write == nil:
		return ""
	default:
		return answer.Database.Write.Cause + ": " + answer.Database.Write.Message
	}
}

func (d *troubled) refusesToOpen(of trouble) {
	d.t.Helper()
	says := of.says
	if says == "" {
		says = of.cause.Sentence(d.database)
	}
	code, out, errOut := call("config", "check", "--database-url", d.url, "--listen", "127.0.0.1:0", "--migrate")
	if code != 1 || !strings.Contains(out, "WRONG: "+says) {
		d.t.Errorf("%s: config check exits %d with %q %q; want %q", of.cause, code, out, errOut, says)
	}
	if of.quiet {
		return
	}
	file := filepath.Join(d.t.TempDir(), "trace.txt")
	if err := os.WriteFile(file, []byte(trace), 0o600); err != nil {
		d.t.Fatal(err)
	}
	code, _, errOut = call("import", "nextflow", file, "--workflow", string(of.cause), "--database-url", d.url)
	short := of.cause.Sentence(jobmon.Database{Name: "the database", File: d.database.File})
	if code != 1 || !strings.Contains(errOut, says) && !strings.Contains(errOut, short) {
		d.t.Errorf("%s: import exits %d with %q; want %q", of.cause, code, errOut, says)
	}
}

func (d *troubled) meet(of trouble) {
	d.t.Helper()
	of.begin()
	sentence := of.cause.Sentence(jobmon.Database{Name: "the database", File: d.database.File})
	want := http.StatusServiceUnavailable
	if of.cause == jobmon.CauseLocked {
		want = http.StatusLocked
	}
	status, message := http.StatusOK, ""
	for i := 0; i < 5_000 && status == http.StatusOK; i++ {
		status, message = d.write()
	}
	if status != want || message != sentence {
		d.t.Errorf("%s: a write is answered with %d %q; want %d %q", of.cause, status, message, want, sentence)
	}
	if told := d.failing(); told != sentence && told != string(of.cause)+": "+sentence {
		d.t.Errorf("%s: the health of the server is %q", of.cause, told)
	}
	if !of.unseen {
		d.refusesToOpen(of)
	}
	if of.end == nil {
		return
	}
	of.end()
	if of.cause != jobmon.CauseCorrupt {
		eventually(d.t, string(of.cause)+" is still told", func() bool { return d.failing() == "" })
	}
	eventually(d.t, string(of.cause)+" still lasts", func() bool { status, message = d.write(); return status == http.StatusOK })
}

// smallDisk mounts a file system of some bytes for a user, and returns its folder.
func smallDisk(t *testing.T, size string, owner *user.User) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "tasktide-disk-") //nolint:usetesting // where an unprivileged server may look
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(folder) })
	options := fmt.Sprintf("size=%s,uid=%s,gid=%s,mode=0755", size, owner.Uid, owner.Gid)
	execute(t, "mount", "-t", "tmpfs", "-o", options, "tmpfs", folder)
	t.Cleanup(func() { execute(t, "umount", "--lazy", folder) })
	return folder
}

func execute(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// fill leaves no byte of a disk free until free is called.
func fill(t *testing.T, folder string) (free func()) {
	t.Helper()
	name := filepath.Join(folder, "filler")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for chunk := 1 << 20; chunk > 0; {
		if _, err := file.Write(make([]byte, chunk)); errors.Is(err, syscall.ENOSPC) {
			chunk /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

// damage overwrites a part of a file, half-open, until repair is called.
func damage(t *testing.T, name string, from, until int64) (repair func()) {
	t.Helper()
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	before := make([]byte, until-from)
	if _, err := file.ReadAt(before, from); err != nil {
		t.Fatal(err)
	}
	overwrite := func(content []byte) {
		file, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := file.WriteAt(content, from); err != nil {
			t.Fatal(err)
		}
	}
	overwrite(bytes.Repeat([]byte{0xAB}, len(before)))
	return func() { overwrite(before) }
}

func current(t *testing.T) *user.User {
	t.Helper()
	account, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return account
}

func nobody(t *testing.T) *user.User {
	t.Helper()
	account, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	return account
}

// refuses demands the sentence of a cause from commands that somebody else runs.
func (d *troubled) refuses(account *user.User, cause jobmon.Cause) {
	d.t.Helper()
	uid, _ := strconv.Atoi(account.Uid)
	gid, _ := strconv.Atoi(account.Gid)
	program := copyOf(d.t, d.server.process.Path)
	for _, args := range [][]string{{"config", "check", "--listen", "127.0.0.1:0"}, {"audit", "verify"}} {
		command := exec.CommandContext(d.t.Context(), program, append(args, "--database-url", d.url)...)
		command.Env = append(os.Environ(), asProgram+"=1")
		command.Dir = "/"
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		out, err := command.CombinedOutput()
		if command.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), cause.Sentence(d.database)) {
			d.t.Errorf("%v by %s ends with %v and %q; want %q", args, account.Username, err, out, cause.Sentence(d.database))
		}
	}
}

// copyOf copies this program to where everybody may run it.
func copyOf(t *testing.T, program string) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "tasktide-program-") //nolint:usetesting // others may not look there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	content, err := os.ReadFile(program)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "tasktide"), content, 0o755)
	}
	if err == nil {
		err = os.Chmod(folder, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, "tasktide")
}

// pass runs a statement past the server.
func pass(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// as returns the address of a database for an account.
func as(t *testing.T, address, account, password string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	parsed.User = url.UserPassword(account, password)
	return parsed.String()
}

func host(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Host
}
