package sqlstore

import (
	"context"
	"database/sql"
	"math"
	"math/rand/v2"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/tracing"
)

// Together these stay below the 20 s after which JobMon's clients give up, when the database itself
// waits some seconds for a lock.
const (
	// attempts is how often a transaction is run before contention is reported.
	attempts = 6
	// patience is how long after its begin a transaction may be run again.
	patience = 8 * time.Second
	// firstPause is the longest pause before the second attempt; it doubles with each further one.
	firstPause = 10 * time.Millisecond
	// connectAttempts is how many connections are tried for one transaction.
	connectAttempts = 3
	// connectionWait is how long a transaction waits for a connection to become free.
	connectionWait = 5 * time.Second
)

// Update implements [store.Writer].
func (s *Store) Update(ctx context.Context, change func(ctx context.Context, tx store.Tx) error) error {
	var written Written
	err := s.update(ctx, func(session session) error {
		rowsFrom := int64(math.MaxInt64)
		written = Written{}
		return change(session.span.In(ctx), writer{session, map[int64]store.Task{}, map[mark]bool{}, &rowsFrom, &written})
	})
	if err == nil {
		s.transitions.Add(written.Transitions)
		s.auditRows.Add(written.AuditRows)
	}
	return err
}

// View implements [store.Reader].
func (s *Store) View(ctx context.Context, read func(ctx context.Context, snapshot store.Snapshot) error) error {
	return s.view(ctx, func(session session) error { return read(session.span.In(ctx), snapshot{session}) })
}

// view runs read in a transaction on the reading side.
func (s *Store) view(ctx context.Context, read func(session session) error) error {
	err := s.transact(ctx, s.read, &sql.TxOptions{ReadOnly: true}, func(session session) error {
		// A transaction sees the database as of its first read, not as of its beginning.
		if _, err := one(ctx, session, "", number, "SELECT COUNT(*) FROM schema_version"); err != nil {
			return err
		}
		return read(session)
	})
	s.reads.note(err, true)
	return err
}

// update runs change in a transaction on the writing side.
func (s *Store) update(ctx context.Context, change func(session session) error) error {
	var wrote bool
	err := s.retry(ctx, func() error {
		return s.transact(ctx, s.write, nil, func(session session) error {
			wrote, session.wrote = false, &wrote
			return change(session)
		})
	})
	s.writes.note(err, wrote)
	if jobmon.ErrorCode(err) == jobmon.CodeContention {
		s.reported.Add(1)
	}
	return err
}

// Contention tells how often transactions met others in a deadlock, in a wait for a lock that took too
// long, or in a conflict that the database resolved by ending one of them, since the store was opened.
type Contention struct {
	Retried   int64 // runs that were repeated
	Deadlocks int64 // of these, the ones that the database ended because of a deadlock
	Reported  int64 // transactions given up with CodeContention, for want of a connection too
}

// Contention returns the counts up to now.
func (s *Store) Contention() Contention {
	return Contention{Retried: s.retried.Load(), Deadlocks: s.deadlocks.Load(), Reported: s.reported.Load()}
}

// Written tells what committed transactions have written since the store was opened, imports left out, both
// as the database has told it. The two are the same unless somebody has tampered with the database.
type Written struct {
	Transitions int64 // tasks that entered a status, their first one included
	AuditRows   int64
}

// Written returns the counts up to now.
func (s *Store) Written() Written {
	// In this order: rows that are committed between the two must not look as if they had moved no task.
	rows := s.auditRows.Load()
	return Written{Transitions: s.transitions.Load(), AuditRows: rows}
}

// Pools tells how the connections are used that write, and those that read.
func (s *Store) Pools() (write, read sql.DBStats) { return s.write.Stats(), s.read.Stats() }

// retry runs do until it succeeds or fails for good, or has been run often and long enough.
func (s *Store) retry(ctx context.Context, do func() error) error {
	begun := time.Now()
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil || ctx.Err() != nil {
			return err
		}
		if !s.dialect.Classify(err).Retry || attempt == attempts || time.Since(begun) > patience {
			return err
		}
		s.retried.Add(1)
		if s.dialect.Deadlock != nil && s.dialect.Deadlock(err) {
			s.deadlocks.Add(1)
		}
		pause := time.NewTimer(rand.N(firstPause << (attempt - 1)))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return s.fail(ctx, ctx.Err())
		}
	}
}

// transact runs do in one transaction and commits it when do returns nil and no statement has failed.
// Whatever else happens, a panic included, the transaction is rolled back and the connection given back.
func (s *Store) transact(ctx context.Context, db *sql.DB, options *sql.TxOptions, do func(session session) error) (err error) {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.underway.Done()
	name := "store write"
	if options != nil && options.ReadOnly {
		name = "store read"
	}
	ctx, span := tracing.Start(ctx, name)
	defer func() { span.End(err) }()
	for attempt := 1; ; attempt++ {
		begun, err := s.transactOnce(ctx, db, span, options, do)
		// A pooled connection may have been cut since it was last used, by a restart of the database
		// for one; as long as the transaction has not begun, another connection may do.
		if begun || attempt == connectAttempts || jobmon.ErrorCode(err) != jobmon.CodeUnavailable || ctx.Err() != nil {
			return err
		}
	}
}

func (s *Store) transactOnce(
	ctx context.Context, db *sql.DB, span *tracing.Span, options *sql.TxOptions, do func(session session) error,
) (begun bool, err error) {
	waiting := span.Child("wait for a connection")
	conn, err := s.connect(ctx, db)
	waiting.End(err)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	return s.transactOn(ctx, conn, span, options, do)
}

// transactOn is transact on one connection. begun tells whether do was run.
func (s *Store) transactOn(
	ctx context.Context, conn *sql.Conn, span *tracing.Span, options *sql.TxOptions, do func(session session) error,
) (begun bool, err error) {
	tx, err := conn.BeginTx(ctx, options)
	if err != nil {
		return false, s.fail(ctx, err)
	}
	defer tx.Rollback() //nolint:errcheck // without effect after a commit, and otherwise do's error tells more
	var failure error
	if err := do(session{s, tx, &failure, span, nil}); err != nil {
		return true, err
	}
	if failure != nil {
		return true, failure
	}
	committing := span.Client("COMMIT")
	err = s.fail(ctx, tx.Commit())
	committing.End(err)
	return true, err
}

// connect takes a connection out of the pool, and reports contention when none becomes free in time.
func (s *Store) connect(ctx context.Context, db *sql.DB) (*sql.Conn, error) {
	waiting, cancel := context.WithTimeout(ctx, connectionWait)
	defer cancel()
	conn, err := db.Conn(waiting)
	if err == nil {
		return conn, nil
	}
	if ctx.Err() == nil && waiting.Err() != nil {
		return nil, jobmon.Errorf(jobmon.CodeContention, "the database is busy with other requests; try again")
	}
	return nil, s.fail(ctx, err)
}
