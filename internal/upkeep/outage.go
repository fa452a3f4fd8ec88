package upkeep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tasktide/internal/jobmon"
)

// outage logs why the attempts of a loop fail: once for each cause, and once when one succeeds again.
type outage struct {
	log  *slog.Logger
	loop string // the subject of the log lines, such as "the roll-up"

	began    time.Time // of the first attempt that failed
	attempts int       // that failed since then
	cause    jobmon.Cause
	logged   string // why the last attempt that was logged failed
}

// note takes how an attempt ended. The attributes go with the line about a failure.
func (o *outage) note(ctx context.Context, err error, attributes ...any) {
	if err == nil {
		o.over(ctx)
		return
	}
	if o.attempts == 0 {
		o.began = time.Now()
	}
	o.attempts++
	o.cause = jobmon.ErrorCause(err)
	reason := cmp.Or(string(o.cause), err.Error())
	if reason == o.logged {
		return
	}
	o.logged = reason
	attributes = append(attributes, "error", err)
	if o.cause != "" {
		attributes = append(attributes, "cause", string(o.cause))
	}
	if known, ok := errors.AsType[*jobmon.Error](err); ok && known.Err != nil {
		attributes = append(attributes, "detail", known.Err)
	}
	o.log.WarnContext(ctx, o.loop+" failed and is retried; further failures are logged when their cause changes", attributes...)
}

func (o *outage) over(ctx context.Context) {
	if o.attempts == 0 {
		return
	}
	again := o.loop + " works"
	if o.cause != "" {
		again = "the database answers"
	}
	o.log.InfoContext(ctx, fmt.Sprintf("%s again after %s; %d attempts failed",
		again, time.Since(o.began).Round(time.Second), o.attempts), "loop", o.loop)
	*o = outage{log: o.log, loop: o.loop}
}
