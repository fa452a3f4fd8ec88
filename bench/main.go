// Command bench measures what the audit costs when tasks move, on each database, with the data on a disk
// and in memory, how long answers take, beside those of others to whom the same rows are given, and how
// long they take while many clients run tasks. It writes a page about it. "make bench" runs it.
//
// Both sides of a comparison run in turns in one run, on databases that were prepared alike. For moves they
// are the store as it is, and the same transaction without the audit, which exists only here. It starts
// servers of its own, on loopback, and ends them.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"tasktide/internal/store/testdb"
	sizes "tasktide/internal/workload"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// The parts of the program.
const (
	partWrite = "write"
	partRead  = "read"
	partLoad  = "load"
)

// options are the flags.
type options struct {
	databases []testdb.Kind
	media     []medium
	parts     []string
	sizes     []sizes.Size
	rounds    int
	quick     bool
	check     bool
	out       string
}

// plan is how long a comparison takes.
type plan struct {
	rounds              int
	single, bulk, ahead time.Duration // a round of single moves, one of bulk moves, what goes ahead of them
}

func (o options) plan() plan {
	if o.quick {
		return plan{o.rounds, 200 * time.Millisecond, 200 * time.Millisecond, 100 * time.Millisecond}
	}
	return plan{o.rounds, time.Second, 600 * time.Millisecond, 300 * time.Millisecond}
}

func parse(args []string, errOut io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(errOut)
	databases := flags.String("databases", "sqlite,mariadb,postgresql", "which databases, separated by commas")
	media := flags.String("media", "disk,memory", "where their data is, separated by commas")
	parts := flags.String("parts", strings.Join([]string{partWrite, partRead, partLoad}, ","), "what is measured, separated by commas")
	sizeNames := flags.String("sizes", "S,M,L", "which workloads are read, separated by commas; X has 60 million rows")
	flags.IntVar(&o.rounds, "rounds", 5, "how often each side is measured; the figure is the median")
	flags.BoolVar(&o.quick, "quick", false,
		"measure each side of the writes for a second only, and load with a tenth of the tasks, to try the program")
	flags.BoolVar(&o.check, "check", false,
		"write no page, but hold the store against the program's own SQL with the audit put in: both should be equally fast")
	flags.StringVar(&o.out, "out", "../docs/benchmarks.md", "where the page goes; - for standard output")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 || o.rounds < 1 {
		return o, errors.New("there are only flags, and at least one round; see -help")
	}
	for name := range strings.SplitSeq(*databases, ",") {
		kind := testdb.Kind(name)
		if !slices.Contains([]testdb.Kind{testdb.SQLite, testdb.MariaDB, testdb.PostgreSQL}, kind) {
			return o, fmt.Errorf("%q is not a database; use sqlite, mariadb or postgresql", name)
		}
		o.databases = append(o.databases, kind)
	}
	for name := range strings.SplitSeq(*media, ",") {
		medium, err := findMedium(name)
		if err != nil {
			return o, err
		}
		o.media = append(o.media, medium)
	}
	for part := range strings.SplitSeq(*parts, ",") {
		if !slices.Contains([]string{partWrite, partRead, partLoad}, part) {
			return o, fmt.Errorf("%q is not a part; use write, read or load", part)
		}
		o.parts = append(o.parts, part)
	}
	for name := range strings.SplitSeq(*sizeNames, ",") {
		size, err := sizes.ParseSize(name)
		if err != nil {
			return o, err
		}
		o.sizes = append(o.sizes, size)
	}
	return o, nil
}

// run is the whole program. It tells on progress how far it is.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	page := report{args: args, begun: time.Now(), rounds: o.rounds}
	progress = &stamped{progress, page.begun}
	if page.machine, err = describeMachine(o.media); err != nil {
		return err
	}
	if slices.Contains(o.parts, partRead) && !o.check {
		if err := measureReads(ctx, o, &page, progress); err != nil {
			return fmt.Errorf("answers: %w", err)
		}
	}
	if slices.Contains(o.parts, partWrite) {
		if err := measureWrites(ctx, o, &page, progress); err != nil {
			return err
		}
	}
	if slices.Contains(o.parts, partLoad) && !o.check {
		if err := measureLoad(ctx, o, &page, progress); err != nil {
			return fmt.Errorf("load: %w", err)
		}
	}
	if o.check {
		return nil
	}
	var text bytes.Buffer
	page.write(&text)
	if o.out == "-" {
		_, err := out.Write(text.Bytes())
		return err
	}
	if err := os.WriteFile(o.out, text.Bytes(), 0o644); err != nil { //nolint:gosec // a page of the documentation is for all to read
		return err
	}
	_, err = fmt.Fprintf(progress, "%s was written after %s.\n", o.out, time.Since(page.begun).Round(time.Second))
	return err
}

// stamped begins each line with the time since the start.
type stamped struct {
	to    io.Writer
	begun time.Time
}

func (s *stamped) Write(line []byte) (int, error) {
	if _, err := fmt.Fprintf(s.to, "%5.0f s  %s", time.Since(s.begun).Seconds(), line); err != nil {
		return 0, err
	}
	return len(line), nil
}

// measureWrites fills the page's part about moves.
func measureWrites(ctx context.Context, o options, page *report, progress io.Writer) error {
	for _, medium := range o.media {
		for _, kind := range o.databases {
			if err := compare(ctx, kind, medium, o, page, progress); err != nil {
				return fmt.Errorf("%s, %s: %w", kind, medium.name, err)
			}
		}
	}
	return nil
}

// compare fills one database's lines of the page.
func compare(
	ctx context.Context, kind testdb.Kind, medium medium, o options, page *report, progress io.Writer,
) (err error) {
	pair, err := openPair(ctx, kind, medium.directory, o.check)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pair.close()) }()
	page.know(kind, pair.version)
	for _, workload := range workloads(o.plan()) {
		measured, err := pair.measure(ctx, workload, o.rounds)
		if err != nil {
			return fmt.Errorf("%d %s: %w", workload.size, workload.unit, err)
		}
		line := line{database: kind, medium: medium.name, workload: workload, measurement: measured}
		page.lines = append(page.lines, line)
		if _, err := fmt.Fprintln(progress, line.summary(o.check)); err != nil {
			return err
		}
	}
	return nil
}
