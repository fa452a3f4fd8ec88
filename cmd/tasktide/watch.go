package main

import (
	"context"
	"errors"
	"time"

	"tasktide/internal/api"
	"tasktide/internal/cache"
	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/metrics"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

// maxBehind is how long the roll-up may have been behind before a server is not ready: answers are right then, and
// ever slower.
const maxBehind = 15 * time.Minute

// ready returns what keeps the server from doing its work, and nil when nothing does.
func (u *upkeepLoops) ready(ctx context.Context) error {
	if err := u.db.CheckReady(ctx); err != nil {
		if code := jobmon.ErrorCode(err); code == jobmon.CodeConflict || code == jobmon.CodeInvalid {
			return notReady("schema", err)
		}
		return notReady("database", err)
	}
	checked, err := upkeep.CheckHealth(ctx, u.db)
	if err != nil {
		return notReady("database", err)
	}
	if behind := min(checked.Lag(), u.rollUp.Behind()); behind > u.maxBehind {
		return notReady("roll_up", jobmon.Errorf(jobmon.CodeUnavailable,
			"the roll-up has been behind for %s, and may be for %s; the log says why", behind.Round(time.Second), u.maxBehind))
	}
	return nil
}

// notReady is a failed check, which the answer names as its field.
func notReady(check string, err error) error {
	message, cause := "the check failed; the log says why", jobmon.ErrorCause(err)
	if known, ok := errors.AsType[*jobmon.Error](err); ok {
		message, err = known.Message, known.Err
	}
	return &jobmon.Error{Code: jobmon.CodeUnavailable, Cause: cause, Field: check, Message: message, Err: err}
}

// watch has a server tell how it is.
func (u *upkeepLoops) watch(config *api.Config, moves *ledger.Ledger, answers timeline.Cache) {
	config.Health = func(ctx context.Context) (api.Health, error) { return u.health(ctx, moves) }
	config.Ready = u.ready
	config.Usage = api.NewUsage()
	source := metrics.Source{Version: config.Version, Database: u.db, Health: config.Health, Usage: config.Usage}
	if counted, ok := answers.(interface{ Stats() cache.Stats }); ok {
		source.Answers = counted.Stats
	}
	told := metrics.New(source)
	config.Metrics, config.Observe, config.Refused = told.Handler(), told.Observe, told.Refused
}
