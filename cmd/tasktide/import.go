package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
)

const (
	// maxLog is the largest run log that is read, in bytes.
	maxLog = 2 << 30
	// importBatch is how many tasks one transaction stages: few enough that whoever else writes waits some
	// tens of milliseconds at most.
	importBatch = 500
)

type importCommand struct {
	Nextflow importNextflowCommand `cmd:"" help:"Load a Nextflow execution trace."`
	CSV      importCSVCommand      `cmd:"" name:"csv" help:"Load a table of when tasks ran."`
}

// Help is shown under the command's --help.
func (importCommand) Help() string {
	return `Examples:

    tasktide import nextflow execution_trace.txt --workflow nightly
    tasktide import csv runs.csv --workflow nightly`
}

// importFlags are the flags of every import.
type importFlags struct {
	databaseFlag
	outputFlags

	Workflow string `required:"" placeholder:"NAME" help:"Name of the workflow that the run becomes."`
	Expire   bool   `help:"Remove the run when it is old, as runs of JobMon are; its age counts from now. Otherwise it is kept."`
}

// runLog is what a file says about a run.
type runLog struct {
	engine string
	hash   string // of the file
	tasks  iter.Seq[jobmon.TaskHistory]
	count  int // of the tasks
}

func (importFlags) interrupted() string { return "nothing was imported" }

// importDocument is the result of the command.
type importDocument struct {
	WorkflowID int64  `json:"workflow_id"`
	Name       string `json:"name"`
	Engine     string `json:"engine"`
	Tasks      int    `json:"tasks"`
}

// store stores a run and prints the id of the workflow that it becomes.
func (f importFlags) store(ctx context.Context, t *terminal, run runLog) (err error) {
	db, err := f.open(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	source := store.Import{Name: f.Workflow, Engine: run.engine, SourceHash: run.hash, Expire: f.Expire}
	show, hide := progress(t.ornament(), run.count)
	id, err := ledger.New(db, t.log).ImportSeq(ctx, source, run.tasks, importBatch, show)
	hide()
	if err != nil {
		return err
	}
	t.sayf("Imported %d tasks as workflow %d, %q.\n%s\n", run.count, id, f.Workflow, f.toOpen(id))
	return t.result(importDocument{id, f.Workflow, run.engine, run.count}, t.line(id))
}

// toOpen says how to look at a workflow. Whether a server serves the database is not known here.
func (f databaseFlag) toOpen(workflowID int64) string {
	command := "tasktide serve"
	switch databaseURL, ok := f.pasted(); {
	case !ok:
		command += " with the same database URL"
	case databaseURL != "":
		command += " --database-url " + shellWord(databaseURL)
	}
	return fmt.Sprintf("To see it, run %s, and open the path /workflows/%d of the address that it prints.", command, workflowID)
}

var plainWord = regexp.MustCompile(`^[\w%+,./:=@-]+$`)

// shellWord quotes a text for a shell where that is needed.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func checkName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return jobmon.FieldErrorf("workflow", "--workflow needs a name")
	case utf8.RuneCountInString(name) > 255:
		return jobmon.FieldErrorf("workflow", "--workflow may have 255 characters at most")
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return jobmon.FieldErrorf("workflow", "--workflow must be valid UTF-8 without NUL")
	default:
		return nil
	}
}

// readLog has a file of at most the given bytes parsed, and returns its hash. The file as a whole is
// never held. The parser's reads fail when ctx ends.
func readLog(ctx context.Context, path string, most int64, parse func(io.Reader) error) (hash string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", jobmon.Errorf(jobmon.CodeInvalid, "cannot read the run log: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	// A read from a pipe may wait for ever. A regular file has no deadline, and needs none.
	stop := context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Now()) })
	defer stop()
	sum := sha256.New()
	bounded := &io.LimitedReader{R: untilDone(ctx, file), N: most + 1}
	err = parse(io.TeeReader(bounded, sum))
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case bounded.N == 0: // whatever was made of its beginning
		return "", jobmon.Errorf(jobmon.CodeTooLarge, "%s is larger than %d bytes; split the run log", path, most)
	case err != nil:
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// readFunc is an [io.Reader].
type readFunc func(into []byte) (int, error)

func (f readFunc) Read(into []byte) (int, error) { return f(into) }

// untilDone reads from a reader until ctx ends.
func untilDone(ctx context.Context, from io.Reader) io.Reader {
	return readFunc(func(into []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return from.Read(into)
	})
}

// progress returns functions that draw a bar where a person is watching, and remove it. Anywhere else they do nothing.
func progress(out io.Writer, tasks int) (show func(staged int), hide func()) {
	file, isFile := out.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return func(int) {}, func() {}
	}
	bar := progressbar.NewOptions(tasks,
		progressbar.OptionSetWriter(out),
		progressbar.OptionSetDescription("importing tasks"),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
	)
	// The bar is an ornament: a terminal that cannot draw it must not end the import.
	return func(staged int) { _ = bar.Set(staged) }, func() { _ = bar.Clear() }
}
