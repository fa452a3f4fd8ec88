package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/runlog"
	"tasktide/internal/store"
)

// maxLog is the largest run log that is read, in bytes.
const maxLog = 2 << 30

type importCommand struct {
	Nextflow importNextflowCommand `cmd:"" help:"Load a Nextflow execution trace."`
}

type importNextflowCommand struct {
	databaseFlag
	File     string `arg:"" help:"The trace: execution_trace.txt, or what -with-trace wrote."`
	Workflow string `required:"" placeholder:"NAME" help:"Name of the workflow that the run becomes."`
	Expire   bool   `help:"Remove the run when it is old, as runs of JobMon are; its age counts from now. Otherwise it is kept."`
}

// Help is shown under the command's --help.
func (importNextflowCommand) Help() string {
	return `Prints the id of the new workflow. The run is stored whole or not at all, and the same file
under the same name only once.

Example:

    tasktide import nextflow results/pipeline_info/execution_trace.txt --workflow nightly`
}

// Run loads the trace.
func (c importNextflowCommand) Run(ctx context.Context, t *terminal) (err error) {
	if err := checkName(c.Workflow); err != nil {
		return err
	}
	content, err := readLog(c.File)
	if err != nil {
		return err
	}
	run, err := runlog.ParseNextflow(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	db, err := c.open(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	hash := sha256.Sum256(content)
	source := store.Import{Name: c.Workflow, Engine: run.Engine, SourceHash: hex.EncodeToString(hash[:]), Expire: c.Expire}
	id, err := ledger.New(db, t.log).Import(ctx, source, run.Tasks, progress(t.err, len(run.Tasks)))
	if err != nil {
		return err
	}
	fmt.Fprintf(t.err, "Imported %d tasks as workflow %d, %q.\n", len(run.Tasks), id, c.Workflow)
	_, err = fmt.Fprintln(t.out, id)
	return err
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

func readLog(path string) (content []byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, jobmon.Errorf(jobmon.CodeInvalid, "cannot read the run log: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	content, err = io.ReadAll(io.LimitReader(file, maxLog+1))
	if err != nil {
		return nil, jobmon.Errorf(jobmon.CodeInvalid, "cannot read the run log: %w", err)
	}
	if len(content) > maxLog {
		return nil, jobmon.Errorf(jobmon.CodeTooLarge, "%s is larger than 2 GiB; split the run log", path)
	}
	return content, nil
}

// progress draws a bar where a person is watching, and nothing anywhere else.
func progress(out io.Writer, tasks int) func(staged int) {
	file, isFile := out.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	bar := progressbar.NewOptions(tasks,
		progressbar.OptionSetWriter(out),
		progressbar.OptionSetDescription("importing tasks"),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
	)
	// The bar is an ornament: a terminal that cannot draw it must not end the import.
	return func(staged int) { _ = bar.Set(staged) }
}
