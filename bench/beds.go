package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"tasktide/internal/ledger"
	"tasktide/internal/store"
	"tasktide/internal/store/sqlstore"
	"tasktide/internal/store/testdb"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
	sizes "tasktide/internal/workload"
)

const (
	// seed and the end below make the same rows in every run.
	seed = 1
	// importBatch is what "tasktide generate" stages in one transaction.
	importBatch = 4000
)

// end is where the workloads end. It is the beginning of a day, so that windows that end there consist of
// whole buckets, whatever their width.
var end = time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)

// bed is a database that is read.
type bed struct {
	kind    testdb.Kind
	version string
	url     string
	store   *sqlstore.Store
	line    *timeline.Timeline
	rollUp  *upkeep.RollUp
	web     *web
	stop    func() error
}

// openBed makes an empty database in a directory and serves it.
func openBed(ctx context.Context, kind testdb.Kind, directory string) (b *bed, err error) {
	b = &bed{kind: kind}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	var url addresses
	if url, b.stop, err = place(kind, directory); err != nil { //nolint:contextcheck // a server is started to its end, and stopped
		return b, err
	}
	if b.url, err = url(ctx, "bench_read"); err != nil {
		return b, err
	}
	if b.store, err = kind.OpenURL(ctx, b.url); err != nil {
		return b, err
	}
	if _, _, err = b.store.Migrate(ctx); err != nil {
		return b, err
	}
	log := slog.New(slog.DiscardHandler)
	// Without a cache: what is measured is the working out.
	b.line, b.rollUp = timeline.New(b.store, nil), upkeep.NewRollUp(b.store, log)
	if b.web, err = serve(ctx, b, log); err != nil {
		return b, err
	}
	b.version, err = versionOf(ctx, kind, b.store)
	return b, err
}

func versionOf(ctx context.Context, kind testdb.Kind, opened *sqlstore.Store) (version string, err error) {
	connections, err := pool(opened)
	if err != nil {
		return "", err
	}
	query := map[testdb.Kind]string{testdb.SQLite: "SELECT sqlite_version()", testdb.PostgreSQL: "SHOW server_version"}[kind]
	if query == "" {
		query = "SELECT VERSION()"
	}
	err = connections.QueryRowContext(ctx, query).Scan(&version)
	return version, err
}

// close ends all that was started for the database and removes it.
func (b *bed) close() error {
	var failures []error
	if b.web != nil {
		failures = append(failures, b.web.close())
	}
	if b.store != nil {
		failures = append(failures, b.store.Close())
	}
	if b.stop != nil {
		failures = append(failures, b.stop())
	}
	return errors.Join(failures...)
}

// settle has the database do what a server does on its own in time, so that no reading waits for it or is
// planned without it. SQLite has nobody who would analyze its tables, so they are not.
func (b *bed) settle(ctx context.Context) error {
	connections, err := pool(b.store)
	if err != nil {
		return err
	}
	var statements []string
	switch b.kind {
	case testdb.PostgreSQL:
		statements = []string{"VACUUM (ANALYZE)", "CHECKPOINT"}
	case testdb.MariaDB:
		statements = []string{"ANALYZE TABLE task, task_status_audit, concurrency_mark, concurrency_block, workflow, task_template"}
	default:
		statements = []string{"PRAGMA wal_checkpoint(TRUNCATE)"}
	}
	for _, statement := range statements {
		if err := drain(ctx, connections, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	if b.kind == testdb.MariaDB {
		return purge(ctx, connections)
	}
	return nil
}

// drain runs a statement and reads what it answers to the end.
func drain(ctx context.Context, connections *sql.DB, statement string, parameters ...any) error {
	rows, err := connections.QueryContext(ctx, statement, parameters...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}

// population is a workload that is in every database.
type population struct {
	name string
	rows int64
	// workflow is the id of its workflow, the largest when there are several, and largest how many of the rows
	// are that one's.
	largest  int64
	workflow map[testdb.Kind]int64
}

// imported is a workflow to be stored.
type imported struct {
	store.Import

	tasks sizes.Workflow
}

// load stores the workloads of a size in all databases at once, as "tasktide generate" does: how long that
// takes is not measured here.
func load(ctx context.Context, beds []*bed, size sizes.Size, progress io.Writer) (*population, error) {
	var runs []imported
	for _, w := range size.List(seed, end.UnixMicro()) {
		runs = append(runs, imported{store.Import{
			Name: w.Name, Engine: "workload", SourceHash: "workload", MaxConcurrentlyRunning: w.MaxConcurrentlyRunning,
		}, w})
	}
	begun := time.Now()
	p := &population{name: size.Name, workflow: map[testdb.Kind]int64{}}
	stored := make([][]int64, len(beds))
	group, within := errgroup.WithContext(ctx)
	for i, b := range beds {
		stored[i] = make([]int64, len(runs))
		group.Go(func() error {
			moves := ledger.New(b.store, slog.New(slog.DiscardHandler))
			for n, run := range runs {
				var err error
				stored[i][n], err = moves.ImportSeq(within, run.Import, run.tasks.Histories(), importBatch, nil)
				if err != nil {
					return fmt.Errorf("%s cannot be stored in %s: %w", run.Name, names[b.kind], err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, b := range beds {
		p.workflow[b.kind] = stored[i][0]
		if err := b.settle(ctx); err != nil {
			return nil, err
		}
	}
	for i, run := range runs {
		for task := range run.tasks.Histories() {
			p.rows += int64(len(task.Moves))
		}
		if i == 0 {
			p.largest = p.rows
		}
	}
	_, err := fmt.Fprintf(progress, "%s: %s rows are stored in %s, in %s\n", p.name, thousands(p.rows), namesOf(beds),
		time.Since(begun).Round(time.Second))
	return p, err
}

func namesOf(beds []*bed) string {
	var all []string
	for _, b := range beds {
		all = append(all, names[b.kind])
	}
	return strings.Join(all, ", ")
}
