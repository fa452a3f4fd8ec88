// Command tasktide is a task-state server for JobMon with a complete audit, and the timeline of how
// many tasks ran when. See README.md.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"tasktide/internal/jobmon"
	"tasktide/internal/termchart"
	"tasktide/internal/tracing"
)

func main() {
	os.Exit(run(untilInterrupted(context.Background()), os.Args[1:], os.Stdout, os.Stderr))
}

// cli is every subcommand and flag. Flags win over the environment.
type cli struct {
	Serve serveCommand `cmd:"" group:"Serve" help:"Serve the page, the timeline and JobMon's state routes."`
	Demo  demoCommand  `cmd:"" group:"Serve" help:"Show the timeline on made-up runs, one of them live."`

	Workflow    workflowCommand    `cmd:"" group:"Look" help:"List workflows, and show one."`
	Concurrency concurrencyCommand `cmd:"" group:"Look" help:"Print or draw how many tasks ran at once."`
	Export      exportCommand      `cmd:"" group:"Look" help:"Write the chart as a PNG or an SVG, or the table as CSV."`

	Import   importCommand   `cmd:"" group:"Load" help:"Load a run of another workflow engine."`
	Generate generateCommand `cmd:"" group:"Load" help:"Write made-up runs to measure with."`

	Migrate   migrateCommand   `cmd:"" group:"Look after" help:"Bring the schema of a database up to this version."`
	Audit     auditCommand     `cmd:"" group:"Look after" help:"Prove that the audit is whole."`
	RollUp    rollUpCommand    `cmd:"" group:"Look after" name:"rollup" help:"Sum the audit up again."`
	Retention retentionCommand `cmd:"" group:"Look after" help:"Remove what is old, or tell what that would be."`
	Config    configCommand    `cmd:"" group:"Look after" help:"Look at the settings."`

	Token tokenCommand `cmd:"" group:"Access" help:"Make, list and revoke the tokens of machines."`

	Help       helpCommand       `cmd:"" group:"Other" help:"Explain a command."`
	Version    versionCommand    `cmd:"" group:"Other" help:"Print the version, its commit and that commit's date."`
	Completion completionCommand `cmd:"" group:"Other" help:"Print a shell completion script."`
	Complete   completeCommand   `cmd:"" hidden:"" help:"Answer a shell that completes a line."`

	PrintVersion kong.VersionFlag `name:"version" help:"Print the version, as the command does."`
}

// run is the whole program. It returns the exit code: 0 when all is well, 1 when the command failed, 2 when it was
// called wrongly, and 128 plus the number of the signal (SIGINT 130, SIGTERM 143) when ctx was cancelled by an
// [interruption] before the command had done its work.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	exited := errors.New("exited")
	code := 0
	level := &slog.LevelVar{}
	log := slog.New(tracing.Log(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: level})))
	help := &failingWriter{Writer: out}
	parser, err := newParser(&cli{},
		kong.Writers(help, errOut),
		// Kong ends the process after --help; a panic that is caught here leaves that to main.
		kong.Exit(func(c int) { code = c; panic(exited) }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&terminal{out: out, err: errOut, log: log, level: level}),
	)
	if err != nil {
		return fail(errOut, err, 1)
	}
	defer func() {
		if r := recover(); r != nil && r != any(exited) {
			panic(r)
		}
	}()
	args = asksForHelp(args)
	parsed, err := parser.Parse(args)
	if err != nil && printGroup(errOut, args, err) {
		return 2
	}
	switch {
	case help.failed != nil:
		return fail(errOut, help.failed, 1)
	case err != nil:
		return fail(errOut, fmt.Errorf("%w (see tasktide --help)", err), 2)
	}
	if !parsed.Selected().Hidden {
		warnOfUnknown(ctx, parser.Model, os.Environ(), log)
	}
	err = parsed.Run()
	if by, interrupted := wasInterrupted(ctx, err); interrupted {
		if sentence := interruptedSentence(parsed); sentence != "" {
			return fail(errOut, errors.New(sentence), by.exitCode())
		}
		return 0
	}
	if err != nil {
		return fail(errOut, err, 1)
	}
	return code
}

// newParser returns the parser of a command line, whose model tells every command and setting.
func newParser(grammar any, options ...kong.Option) (*kong.Kong, error) {
	return kong.New(grammar, append([]kong.Option{
		kong.Name("tasktide"),
		kong.Description("How many tasks ran when, by template, against the limit. Exactly."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ExplicitGroups(groups),
		kong.Vars{
			"default_database":       defaultDatabaseURL(),
			"default_database_shown": cmp.Or(defaultDatabaseURL(), "no default, because HOME is not set"),
			"version":                versionLine(),
			"min_width":              strconv.Itoa(termchart.MinWidth),
			"max_width":              strconv.Itoa(termchart.MaxWidth),
			"min_height":             strconv.Itoa(termchart.MinHeight),
			"max_height":             strconv.Itoa(termchart.MaxHeight),
		}.CloneWith(pictureVars),
	}, options...)...)
}

// failingWriter keeps the error of a write, which kong reports as a wrong command line.
type failingWriter struct {
	io.Writer

	failed error
}

// Write implements [io.Writer].
func (w *failingWriter) Write(data []byte) (int, error) {
	n, err := w.Writer.Write(data)
	if err != nil {
		w.failed = err
	}
	return n, err
}

func fail(out io.Writer, err error, code int) int {
	known, ok := errors.AsType[*jobmon.Error](err)
	if ok && known.Code == jobmon.CodeInternal && known.Err != nil && !strings.Contains(err.Error(), known.Err.Error()) {
		err = fmt.Errorf("%w: %w", err, known.Err) // a command has no log that would say it
	}
	fmt.Fprintf(out, "tasktide: %v\n", err)
	return code
}
