package sqlstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"tasktide/internal/jobmon"
)

const (
	// corruptFor is how long a corrupt database counts as one after it was last found to be: what succeeds meanwhile
	// may have read other pages.
	corruptFor = time.Hour
	// recheckTime bounds a recheck of writes.
	recheckTime = time.Second
)

// Standing is a cause that transactions failed with, and none has succeeded since.
type Standing struct {
	Cause       jobmon.Cause
	Message     string // what is wrong, then what to do
	Since, Last time.Time
	Failures    int64 // transactions, since Since
}

// Failures are what keeps transactions from writing, and from reading; nil where the last one succeeded.
type Failures struct{ Write, Read *Standing }

// Failures returns what stands now.
func (s *Store) Failures() Failures { return Failures{s.writes.standing(), s.reads.standing()} }

// outcome follows how transactions end.
type outcome struct {
	mu   sync.Mutex
	last *Standing
}

func (o *outcome) standing() *Standing {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last == nil {
		return nil
	}
	return new(*o.last)
}

// note takes how a transaction ended. proof says that success is one of what failed before: a transaction that has
// written nothing does not prove that writing works.
func (o *outcome) note(err error, proof bool) {
	cause := jobmon.ErrorCause(err)
	if cause == "" && (err != nil || !proof) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	switch {
	case cause == "":
		if o.last != nil && (o.last.Cause != jobmon.CauseCorrupt || now.Sub(o.last.Last) > corruptFor) {
			o.last = nil
		}
		return
	case o.last == nil || o.last.Cause != cause:
		o.last = &Standing{Cause: cause, Since: now}
	}
	o.last.Message, o.last.Last = err.Error(), now
	o.last.Failures++
}

// RecheckWrites finds out whether what writing failed with is over, when there is something and nobody has written
// since. It leaves the database as it is.
func (s *Store) RecheckWrites(ctx context.Context) {
	standing := s.writes.standing()
	if standing == nil || standing.Cause == jobmon.CauseCorrupt || !s.rechecking.TryLock() {
		return
	}
	defer s.rechecking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, recheckTime)
	defer cancel()
	err := s.CheckWritable(ctx)
	if err == nil && standing.Cause == jobmon.CauseDiskFull {
		err = s.CheckRoom(ctx)
	}
	if err == nil {
		s.writes.note(nil, true)
	}
}

// errUndone ends a transaction that was a check.
var errUndone = errors.New("undone")

// CheckRoom returns an error with [jobmon.CauseDiskFull] when the database cannot take a megabyte more. It leaves
// nothing behind.
func (s *Store) CheckRoom(ctx context.Context) error {
	err := s.transact(ctx, s.write, nil, func(session session) error {
		err := s.dialect.Room(ctx, func(statement string) error {
			_, err := session.tx.ExecContext(ctx, statement) // whatever failed before: it may have to tidy up
			return err
		})
		if err != nil {
			return s.fail(ctx, err)
		}
		return errUndone
	})
	if errors.Is(err, errUndone) {
		return nil
	}
	return s.explain(err)
}

// CheckIntact returns an error with [jobmon.CauseCorrupt] when the database, where it is a file, is found to be
// corrupt. It stops after a time: a large file takes longer.
func (s *Store) CheckIntact(ctx context.Context, within time.Duration) error {
	if s.dialect.Intact == "" {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var found string
	err := s.view(bounded, func(session session) (err error) {
		found, err = one(bounded, session, "", func(text *string) []any { return []any{text} }, s.dialect.Intact)
		return err
	})
	switch {
	case bounded.Err() != nil:
		return ctx.Err()
	case err != nil:
		return s.explain(err)
	case found != "ok":
		cause := jobmon.CauseCorrupt
		return &jobmon.Error{
			Code: jobmon.CodeUnavailable, Cause: cause, Message: cause.Sentence(s.dialect.Database), Err: errors.New(found),
		}
	}
	return nil
}
