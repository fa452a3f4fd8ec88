package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"tasktide/internal/jobmon"
)

var (
	errBusy, errDefect = errors.New("busy"), errors.New("defect")
	errDeadlock        = fmt.Errorf("%w in a deadlock", errBusy)
)

func busyStore() *Store {
	return &Store{dialect: Dialect{
		Classify: func(err error) Failure {
			if errors.Is(err, errBusy) {
				return Contended("")
			}
			return Unknown()
		},
		Deadlock: func(err error) bool { return errors.Is(err, errDeadlock) },
	}}
}

func TestRetry(t *testing.T) {
	for _, c := range []struct {
		name string
		busy int // how often the database is busy
		then error
		runs int
		want jobmon.Code
	}{
		{"at once", 0, nil, 1, ""},
		{"busy for a while", 3, nil, 4, ""},
		{"busy, then a defect", 2, errDefect, 3, jobmon.CodeInternal},
		{"a defect", 0, errDefect, 1, jobmon.CodeInternal},
		{"busy for ever", 1000, nil, attempts, jobmon.CodeContention},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, runs := busyStore(), 0
			err := s.retry(t.Context(), func() error {
				runs++
				if runs <= min(c.busy, 2) {
					return s.fail(t.Context(), errDeadlock)
				}
				if runs <= c.busy {
					return s.fail(t.Context(), errBusy)
				}
				return s.fail(t.Context(), c.then)
			})
			if got := s.Contention(); got.Retried != int64(c.runs-1) || got.Deadlocks != min(got.Retried, 2) {
				t.Errorf("%+v are counted, want %d and the first two of them deadlocks", got, c.runs-1)
			}
			if runs != c.runs || jobmon.ErrorCode(err) != c.want {
				t.Errorf("ran %d times and returned %v, want %d times and code %q", runs, err, c.runs, c.want)
			}
		})
	}
}

func TestRetryEndsWithItsContext(t *testing.T) {
	s, runs := busyStore(), 0
	ctx, cancel := context.WithCancel(t.Context())
	err := s.retry(ctx, func() error {
		runs++
		cancel()
		return s.fail(ctx, errBusy)
	})
	if runs != 1 || jobmon.ErrorCode(err) != jobmon.CodeUnavailable {
		t.Errorf("ran %d times and returned %v", runs, err)
	}
}
