package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tasktide/internal/upkeep"
)

// interruptedBy is a context as a signal leaves it.
func interruptedBy(t *testing.T, signal syscall.Signal) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(interruption{signal})
	return ctx
}

// commands returns what each command is parsed into, by its path.
func commands(t *testing.T) map[string]reflect.Value {
	t.Helper()
	parser, err := newParser(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]reflect.Value{}
	for _, command := range parser.Model.Leaves(false) {
		targets[command.Path()] = command.Target.Addr()
	}
	return targets
}

func TestEveryCommandThatTakesAContextIsInterruptible(t *testing.T) {
	checked := 0
	for path, target := range commands(t) {
		for takes := range target.MethodByName("Run").Type().Ins() {
			if takes != reflect.TypeFor[context.Context]() {
				continue
			}
			checked++
			if _, ok := reflect.TypeAssert[interruptible](target); !ok {
				t.Errorf("%s does not say what is done when it is interrupted", path)
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d commands take a context", checked)
	}
}

func TestAnInterruptionIsNotAResult(t *testing.T) {
	database := importTrace(t)
	rewrite(t, database, "DELETE FROM concurrency_mark")
	rewrite(t, database, "DELETE FROM task_status_audit WHERE id = (SELECT MIN(id) FROM task_status_audit WHERE new_status = 'R')")
	verify := auditVerifyCommand{databaseFlag: databaseFlag{DatabaseURL: database}}
	var out bytes.Buffer
	err := verify.Run(t.Context(), &terminal{out: &out, err: &out})
	ctx := interruptedBy(t, syscall.SIGTERM)
	if _, interrupted := wasInterrupted(ctx, err); err == nil || interrupted {
		t.Errorf("the defects that were found before a signal are taken for its doing: %v", err)
	}
	if _, interrupted := wasInterrupted(t.Context(), context.Canceled); interrupted {
		t.Error("without a signal there is an interruption")
	}
}

func TestWhatAnInterruptedCommandSays(t *testing.T) {
	for want, command := range map[string]interruptible{
		"3 of 12 workflows were verified, with no defects; nothing was changed": &auditVerifyCommand{
			report: upkeep.Report{Chosen: 12, Workflows: 3},
		},
		"0 of 1 workflows were verified, with 2 defects; nothing was changed": &auditVerifyCommand{
			report: upkeep.Report{Chosen: 1, Found: 2},
		},
		"nothing was removed": &retentionPassCommand{},
		"40000 rows and the counts of 24 hours were removed; the next pass goes on": &retentionPassCommand{
			done: upkeep.RetentionProgress{Rows: 40_000, Hours: 24},
		},
	} {
		if got := command.interrupted(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// task is a process of a command that ends by itself.
type task struct {
	*exec.Cmd

	stderr *bufio.Reader
	errOut string // what it has said, when it has ended
}

// launch starts a process of a command, and waits until it has begun: by then it warns of the variable that makes the
// test binary be tasktide.
func launch(t *testing.T, args ...string) *task {
	t.Helper()
	process := exec.Command(os.Args[0], args...)
	process.Env = append(os.Environ(), asProgram+"=1")
	errOut, err := process.StderrPipe()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill() })
	begun := &task{Cmd: process, stderr: bufio.NewReader(errOut)}
	if line, err := begun.stderr.ReadString('\n'); err != nil || !strings.Contains(line, asProgram) {
		t.Fatalf("it begins with %q, %v", line, err)
	}
	return begun
}

func (p *task) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// end reads what the process still says, and waits for it.
func (p *task) end(t *testing.T) syscall.WaitStatus {
	t.Helper()
	said, err := io.ReadAll(p.stderr)
	if err != nil {
		t.Error(err)
	}
	p.errOut = string(said)
	_ = p.Wait() // its state tells
	status, ok := p.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		t.Fatalf("no exit status: %v", p.ProcessState)
	}
	return status
}

// count returns the number that a query finds in a SQLite file past the store, and 0 while there is no such table.
func count(t *testing.T, database, query string) (n int) {
	t.Helper()
	raw, err := sql.Open("sqlite", strings.TrimPrefix(database, "sqlite://"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	_ = raw.QueryRowContext(t.Context(), query).Scan(&n)
	return n
}

func TestASignalInTheMiddleOfAnImportLeavesNothing(t *testing.T) {
	database := tempDatabase(t)
	says(t, 0, "", "^$", "migrate", "--database-url", database)
	var rows strings.Builder
	rows.WriteString("task,template,start,end\n")
	for i := range 20_000 { // in 40 transactions
		fmt.Fprintf(&rows, "%d,align,1767322800,1767322860\n", i)
	}
	load := launch(t, "import", "csv", writeFile(t, rows.String()), "--workflow", "run", "--database-url", database)
	eventually(t, "nothing is staged", func() bool { return count(t, database, "SELECT MAX(staged_tasks) FROM workflow_import") > 0 })
	load.signal(t, syscall.SIGTERM)
	if status := load.end(t); status.ExitStatus() != 143 || load.errOut != "tasktide: interrupted: nothing was imported\n" {
		t.Errorf("SIGTERM: it exits %d with %q", status.ExitStatus(), load.errOut)
	}
	for _, table := range []string{"workflow", "workflow_import", "task", "task_status_audit"} {
		if n := count(t, database, "SELECT COUNT(*) FROM "+table); n > 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
}

// A pipe is read until its writer closes it: whoever interrupts the import does not wait for that.
func TestASignalEndsAnImportFromAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "runs.csv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	load := launch(t, "import", "csv", pipe, "--workflow", "run", "--database-url", tempDatabase(t))
	writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // returns when the import has opened it
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if _, err := writer.WriteString(spans); err != nil {
		t.Fatal(err)
	}
	load.signal(t, syscall.SIGINT)
	if status := load.end(t); status.ExitStatus() != 130 || load.errOut != "tasktide: interrupted: nothing was imported\n" {
		t.Errorf("SIGINT: it exits %d with %q", status.ExitStatus(), load.errOut)
	}
}

// A pipe without a writer cannot be opened, and nothing but the end of the process ends that.
func TestASecondSignalEndsTheProcessAtOnce(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "runs.csv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	load := launch(t, "import", "csv", pipe, "--workflow", "run", "--database-url", tempDatabase(t))
	ended := make(chan struct{})
	var signals sync.WaitGroup
	signals.Go(func() {
		again := time.NewTicker(10 * time.Millisecond)
		defer again.Stop()
		for {
			select {
			case <-ended:
				return
			case <-again.C:
				_ = load.Process.Signal(syscall.SIGTERM) // two that come together are one
			}
		}
	})
	status := load.end(t)
	close(ended)
	signals.Wait()
	if !status.Signaled() || status.Signal() != syscall.SIGTERM || load.errOut != "" {
		t.Errorf("it ends with %v and %q", load.ProcessState, load.errOut)
	}
}
