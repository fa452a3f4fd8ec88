package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"tasktide/internal/store/testdb"
	"tasktide/internal/testfiles"
)

// contract is what a command promises whoever calls it. Patterns are of all that is printed.
type contract struct {
	args        []string // of a good call, beside the database
	out, errOut string   // what a good call prints
	bad         []string // arguments that are added, or stand in place of the others where these are not flags, and are wrong
	badCode     int
	badSays     string
	noDatabase  bool // it opens none
	noContext   bool // it ends at once, and cannot be interrupted
	serves      bool // until it is interrupted
	reports     bool // what is wrong is a result: standard output has it
	silent      bool // a good call may print nothing on standard output
	grows       bool // it stores more than a full disk has room for
}

// oneSentence is how a command says why it failed.
const oneSentence = `^tasktide: [^\n]+\n$`

// contracts has a row for each command, in an order in which they can be called on one database.
func contracts(t *testing.T) (names []string, rows map[string]contract) {
	t.Helper()
	trace, table := writeFile(t, trace), writeFile(t, spans)
	listen := []string{"--listen", "127.0.0.1:0"}
	const imported = "^Imported [0-9]+ tasks as workflow [0-9]+, \"[^\n]+\\.\nTo see it, run tasktide serve [^\n]+\n$"
	rows = map[string]contract{
		"migrate": {out: "^The schema of [^\n]+\n$", bad: []string{"--database-url", "oracle://x"}, badCode: 1, badSays: "sqlite://, mysql:// or postgres://"},
		"import csv": {
			args: []string{table, "--workflow", "csv"}, out: "^[0-9]+\n$", errOut: imported, grows: true,
			bad: []string{trace, "--workflow", "bad"}, badCode: 1, badSays: "line 1",
		},
		"import nextflow": {
			args: []string{trace, "--workflow", "nextflow"}, out: "^[0-9]+\n$", errOut: imported, grows: true,
			bad: []string{table, "--workflow", "bad"}, badCode: 1, badSays: "line 1",
		},
		"generate": {
			args: []string{"--size", "S"}, out: "^[0-9]+\n$", errOut: "^Generated 10000 tasks [^\n]+\n$", grows: true,
			bad: []string{"--end", "1960-01-01T00:00:00Z"}, badCode: 1, badSays: "--end",
		},
		"audit verify":  {out: "^Verified [^\n]* 0 defects\\.\n$", bad: []string{"--workflow", "99"}, badCode: 1, badSays: "99"},
		"workflow list": {out: "^ID [^\n]+\n[0-9]", bad: []string{"--status", "nonsense"}, badCode: 1, badSays: "nonsense"},
		"workflow show": {args: []string{"1"}, out: "(?m)^name  ", bad: []string{"99"}, badCode: 1, badSays: "99"},
		"concurrency": {
			args: []string{"1", "--last", "all"}, out: "(?i)align", errOut: "^Tasks [^\n]+:[^\n]+\n",
			bad: []string{"99"}, badCode: 1, badSays: "99",
		},
		"export": {
			args: []string{"1", "--last", "all", "--csv", "-"}, out: "(?s)^# workflow: csv .*align", errOut: "^Wrote standard output [^\n]+\n$",
			bad: []string{"99", "--csv", "-"}, badCode: 1, badSays: "99",
		},
		"rollup rebuild": {out: "^[0-9]+ minutes [^\n]+\n$", bad: []string{"--workflow", "99"}, badCode: 1, badSays: "99"},
		"retention pass": {
			args: []string{"--dry-run"}, out: "^0 workflows would lose something\\.\n$",
			bad: []string{"--audit-retention", "1h"}, badCode: 1, badSays: "choose a longer time",
		},
		"retention recover": {
			out: "^No workflow can be recovered\\.\n$", bad: []string{"--audit-retention", "1h"}, badCode: 1, badSays: "choose a longer time",
		},
		"token create": {
			args: []string{"--user", "ada"}, out: "^[^ \n]+\n$", errOut: "^Token 1 [^\n]+\n$",
			bad: []string{"--scope", "nonsense"}, badCode: 1, badSays: "nonsense",
		},
		"token list":   {out: "^ID [^\n]+\n1 [^\n]+\n$", bad: []string{"--database-url", "oracle://x"}, badCode: 1, badSays: "sqlite://"},
		"token revoke": {args: []string{"1"}, out: "^Token 1 [^\n]+\n$", bad: []string{"99"}, badCode: 1, badSays: "99"},
		"config check": {
			args: listen, out: "(?s)^SETTING .*\nNothing is wrong with them\\.\n$", reports: true,
			bad: []string{"--audit-retention", "1h"}, badCode: 1, badSays: "^tasktide: wrong settings: 1\n$",
		},
		"serve": {args: listen, out: "^Tasktide serves http[^\n]+\n$", serves: true, bad: []string{"--listen", "nowhere"}, badCode: 1, badSays: "--listen"},
		"demo": {
			args: listen, out: "^Open http://127[^\n]+\n[^\n]+\n$", errOut: "^(time=[^\n]+ level=INFO [^\n]+\n)*$", serves: true, noDatabase: true,
			bad: []string{"--listen", "nowhere"}, badCode: 1, badSays: "--listen",
		},
		"help":       {out: "^Usage: tasktide ", noDatabase: true, noContext: true, bad: []string{"sreve"}, badCode: 2, badSays: "serve"},
		"version":    {out: "^tasktide [^\n]+\n$", noDatabase: true, noContext: true, bad: []string{"more"}, badCode: 2, badSays: "more"},
		"completion": {args: []string{"bash"}, out: "^complete ", noDatabase: true, noContext: true, bad: []string{"tcsh"}, badCode: 2, badSays: "tcsh"},
		"complete":   {out: "^$", noDatabase: true, noContext: true, silent: true},
	}
	names = []string{
		"migrate", "import csv", "import nextflow", "generate", "audit verify", "rollup rebuild", "retention pass", "retention recover", "token create",
		"token list", "token revoke", "workflow list", "workflow show", "concurrency", "export", "config check", "serve", "demo", "help", "version", "completion", "complete",
	}
	if len(names) != len(rows) {
		t.Fatalf("%d commands have an order, %d a row", len(names), len(rows))
	}
	return names, rows
}

// called is a command that has ended.
type called struct {
	code        int
	out, errOut string
}

// lockedBuffer is written by a command and what it starts.
type lockedBuffer struct {
	mu      sync.Mutex
	written bytes.Buffer
	first   func() // is called with the first write
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.first != nil {
		b.first()
		b.first = nil
	}
	return b.written.Write(p)
}

// with calls a command with arguments. One that serves is interrupted when it says that it does.
func (c contract) with(ctx context.Context, name, database string, args []string) called {
	all := append(strings.Fields(name), args...)
	if database != "" && !c.noDatabase && !slices.Contains(args, "--database-url") {
		all = append(all, "--database-url", database)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out, errOut := &lockedBuffer{}, &lockedBuffer{}
	if c.serves {
		out.first = func() { cancel(interruption{syscall.SIGTERM}) }
	}
	code := run(ctx, all, out, errOut)
	return called{code, out.written.String(), errOut.written.String()}
}

// badArgs are the arguments of a good call with what is wrong.
func (c contract) badArgs() []string {
	if len(c.bad) > 0 && strings.HasPrefix(c.bad[0], "-") {
		return append(slices.Clone(c.args), c.bad...)
	}
	return c.bad
}

func (c called) expect(t *testing.T, code int, out, errOut string) {
	t.Helper()
	if c.code != code || !regexp.MustCompile(out).MatchString(c.out) || !regexp.MustCompile(errOut).MatchString(c.errOut) {
		t.Errorf("it exits %d with %q and %q; want %d with %q and %q", c.code, c.out, c.errOut, code, out, errOut)
	}
	c.expectNoSecret(t)
}

func (c called) expectNoSecret(t *testing.T) {
	t.Helper()
	if all := c.out + c.errOut; strings.Contains(all, "s3cret") || strings.Contains(all, "goroutine ") {
		t.Errorf("it prints a secret or a stack: %q", all)
	}
}

// failure demands that a call has failed with one sentence on standard error that matches a pattern, and with no result.
func (c contract) failure(t *testing.T, got called, code int, says string) {
	t.Helper()
	out := "^$"
	if c.reports && code == 1 {
		out = says
		says = "wrong settings"
	} else if c.reports {
		out = "" // the settings come before the checks
	}
	got.expect(t, code, out, oneSentence)
	got.expect(t, code, out, says)
}

func TestEveryCommandHasAContract(t *testing.T) {
	_, rows := contracts(t)
	known := commands(t)
	for name := range known {
		if _, has := rows[name]; !has {
			t.Errorf("tasktide %s has no row among the contracts", name)
		}
	}
	for name := range rows {
		if _, is := known[name]; !is {
			t.Errorf("there is no command %s", name)
		}
	}
}

func TestExitCodesAndStreams(t *testing.T) {
	t.Parallel()
	names, rows := contracts(t)
	for _, kind := range testdb.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			database := kind.URL(t)
			for _, name := range names {
				c := rows[name]
				if kind != testdb.SQLite && (c.noDatabase || name == "generate") {
					continue
				}
				t.Run(name, func(t *testing.T) {
					ctx := t.Context()
					for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
						got := c.with(interruptedBy(t, signal), name, database, c.args)
						switch {
						case c.serves && name != "demo":
							got.expect(t, 0, "^$", "^$")
						case !c.noContext && !c.serves:
							c.failure(t, got, 128+int(signal), "^tasktide: interrupted: [^\n]+\n$")
						}
					}
					if c.bad != nil {
						if c.badCode == 2 {
							c.with(ctx, name, database, c.badArgs()).expect(t, 2, "^$", c.badSays+".*\\(see tasktide --help\\)\n$")
						} else if got := c.with(ctx, name, database, c.badArgs()); c.reports {
							got.expect(t, 1, "(?m)^WRONG: ", c.badSays)
						} else {
							c.failure(t, got, 1, c.badSays)
						}
					}
					c.with(ctx, name, database, c.args).expect(t, 0, c.out, cmp.Or(c.errOut, "^$"))
				})
			}
		})
	}
}

func TestUsageErrors(t *testing.T) {
	names, rows := contracts(t)
	for _, name := range names {
		if name == "complete" {
			continue // takes whatever a shell passes
		}
		got := rows[name].with(t.Context(), name, "", append(slices.Clone(rows[name].args), "--nonsense"))
		got.expect(t, 2, "^$", `^tasktide: unknown flag --nonsense[^\n]*\(see tasktide --help\)\n$`)
	}
}

// A database that is not there, with a password that nobody may read.
func TestTheDatabaseIsAway(t *testing.T) {
	names, rows := contracts(t)
	for _, c := range []struct{ database, says string }{
		{"sqlite://" + filepath.Join(t.TempDir(), "no", "folder", "runs.db"), "there is no folder [^\n]*; create it or name another file"},
		{"mysql://ada:s3cret@127.0.0.1:1/runs", "cannot be reached; start "},
		{"postgres://ada:s3cret@127.0.0.1:1/runs", "cannot be reached; start "},
	} {
		scheme, _, _ := strings.Cut(c.database, "://")
		for _, name := range names {
			row := rows[name]
			if row.noDatabase {
				continue
			}
			t.Run(scheme+"/"+name, func(t *testing.T) {
				row.failure(t, row.with(t.Context(), name, c.database, row.args), 1, c.says)
			})
		}
	}
}

var errFull = errors.New("no space left on device")

// fullDevice is standard output on a full disk.
type fullDevice struct{}

func (fullDevice) Write([]byte) (int, error) { return 0, errFull }

// A result that cannot be written is not one: a script must not take an empty file for it.
func TestAResultThatCannotBeWritten(t *testing.T) {
	names, rows := contracts(t)
	database := testdb.SQLite.URL(t)
	for _, name := range names {
		c := rows[name]
		if c.silent || c.serves || name == "generate" {
			continue
		}
		args := append(strings.Fields(name), c.args...)
		if !c.noDatabase {
			args = append(args, "--database-url", database)
		}
		var errOut bytes.Buffer
		if code := run(t.Context(), args, fullDevice{}, &errOut); code != 1 || !strings.HasSuffix(errOut.String(), "no space left on device\n") {
			t.Errorf("%s exits %d with %q", name, code, &errOut)
		}
	}
}

// disk mounts a small file system with a migrated database, for root only.
func disk(t *testing.T, megabytes string) (folder, database string) {
	t.Helper()
	if os.Geteuid() != 0 {
		testfiles.NotJudged(t, "only root can mount a file system")
	}
	folder = t.TempDir()
	mount(t, "-t", "tmpfs", "-o", "size="+megabytes, "tmpfs", folder)
	t.Cleanup(func() { _ = exec.Command("umount", "--lazy", folder).Run() })
	database = "sqlite://" + filepath.Join(folder, "runs.db")
	says(t, 0, "", "^$", "migrate", "--database-url", database)
	return folder, database
}

func mount(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("mount", args...).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v %s", err, out)
	}
}

func TestTheDiskIsReadOnly(t *testing.T) {
	names, rows := contracts(t)
	folder, database := disk(t, "8m")
	importInto(t, database)
	mount(t, "-o", "remount,ro", folder)
	for _, name := range names {
		c := rows[name]
		if c.noDatabase {
			continue
		}
		t.Run(name, func(t *testing.T) {
			// Those that only read, too: SQLite needs a file beside a database with a write-ahead log.
			c.failure(t, c.with(t.Context(), name, database, c.args), 1, "is read-only; make the file")
		})
	}
}

func TestTheDiskIsFull(t *testing.T) {
	names, rows := contracts(t)
	folder, database := disk(t, "8m")
	importInto(t, database)
	filler, err := os.Create(filepath.Join(folder, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = filler.Write(block)
	}
	if err := filler.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		c := rows[name]
		if c.noDatabase || c.serves {
			continue
		}
		t.Run(name, func(t *testing.T) {
			got := c.with(t.Context(), name, database, c.args)
			if got.code == 0 && !c.grows {
				got.expectNoSecret(t)
				return // what it stores, if anything, finds room
			}
			c.failure(t, got, 1, "has no disk space left; free space")
		})
	}
}
