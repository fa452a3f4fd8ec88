// Package sqlstore is the store on database/sql: one implementation for every database, which differ
// by the values of a [Dialect]. A driver package opens the database and supplies those values.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// Store is a store on a database/sql database. It is safe for concurrent use.
type Store struct {
	write, read *sql.DB
	dialect     Dialect

	retried, deadlocks, reported atomic.Int64
	transitions, auditRows       atomic.Int64
	writes, reads                outcome
	rechecking                   sync.Mutex

	mu       sync.Mutex
	closed   bool
	underway sync.WaitGroup
}

var _ store.Store = (*Store)(nil)

// New returns a store that changes the database through write and reads it through read, so that
// readers never wait for a connection that a writer holds. It takes over both and closes them. Call
// [Store.Migrate] or [Store.CheckSchema] before anything else.
func New(write, read *sql.DB, dialect Dialect) *Store {
	return &Store{write: write, read: read, dialect: dialect}
}

// Close waits for what is under way and releases the database. What is begun after it returns
// CodeUnavailable.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.underway.Wait()
	// The writer goes last: where the last connection tidies up the database, it must be one that may
	// write.
	return errors.Join(s.read.Close(), s.write.Close())
}

// enter registers a transaction that Close has to wait for.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return jobmon.Errorf(jobmon.CodeUnavailable, "the database is closed; the server is shutting down")
	}
	s.underway.Add(1)
	return nil
}

// fail gives an error of the database its code and a message for people.
func (s *Store) fail(ctx context.Context, err error) error {
	var known *jobmon.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if ctx.Err() != nil {
		return &jobmon.Error{
			Code: jobmon.CodeUnavailable, Message: "the request ended before the database had answered", Err: err,
		}
	}
	failure := s.dialect.Classify(err)
	told := &jobmon.Error{Code: failure.Code, Cause: failure.Cause, Err: err}
	switch message, known := messages[failure.Code]; {
	case failure.Cause != "":
		told.Message = failure.Cause.Sentence(jobmon.Database{Name: "the database", File: s.dialect.Database.File})
	case known:
		told.Message = message
	default:
		told.Code = jobmon.CodeInternal
		told.Message = "the database reported an unexpected error"
	}
	return told
}

// messages are those of errors that no cause explains.
var messages = map[jobmon.Code]string{
	jobmon.CodeInvalid:     "the request holds a value that cannot be stored",
	jobmon.CodeNotFound:    "the request names something that does not exist; create it first",
	jobmon.CodeConflict:    "what the request would create exists already",
	jobmon.CodeTooLarge:    "the request holds a value that is too large to be stored",
	jobmon.CodeContention:  "the transaction failed after retries because of lock contention; try again",
	jobmon.CodeUnavailable: "the database cannot do that now; try again, and see the log of the server if it lasts",
}
