package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"time"
)

// contestant is something that is timed beside others.
type contestant struct {
	name string
	// slow says that it is not tried before it is timed, nor more than once a turn: it has been run before.
	slow bool
	run  func(ctx context.Context) error
}

// timing is how long something took, a figure for each turn.
type timing []time.Duration

// Something quick is run so often, but not for longer, and its turn is the median of that: one interruption
// by the system would otherwise be the figure.
const (
	mostInTurn = 5
	turnLength = 100 * time.Millisecond
)

// takeTurns times contestants one after the other, that often, so that whatever else the machine does falls
// on all of them. It returns the timings in their order.
func takeTurns(ctx context.Context, rounds int, all []contestant) ([]timing, error) {
	took := make([]timing, len(all))
	for _, c := range all {
		if !c.slow {
			if err := c.run(ctx); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	for range rounds {
		for i, c := range all {
			runtime.GC() // nobody collects what another left
			figure, err := c.turn(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			took[i] = append(took[i], figure)
		}
	}
	return took, nil
}

func (c contestant) turn(ctx context.Context) (time.Duration, error) {
	var single timing
	for begun := time.Now(); len(single) < mostInTurn && (len(single) == 0 || !c.slow && time.Since(begun) < turnLength); {
		one := time.Now()
		if err := c.run(ctx); err != nil {
			return 0, err
		}
		single = append(single, time.Since(one))
	}
	return single.median(), nil
}

func (t timing) median() time.Duration {
	values := make([]float64, len(t))
	for i, d := range t {
		values[i] = float64(d)
	}
	return time.Duration(median(values))
}

// String is the median with the least and the greatest.
func (t timing) String() string {
	if len(t) == 0 {
		return "–"
	}
	if len(t) == 1 {
		return milliseconds(t[0]) + " (once)"
	}
	return fmt.Sprintf("%s (%s–%s)", milliseconds(t.median()), inThousandths(slices.Min(t)), inThousandths(slices.Max(t)))
}

// milliseconds writes a duration with three digits.
func milliseconds(d time.Duration) string { return inThousandths(d) + " ms" }

// inThousandths is milliseconds without the unit.
func inThousandths(d time.Duration) string { return threeDigits(float64(d.Microseconds()) / 1000) }

func threeDigits(value float64) string {
	switch {
	case value >= 100:
		return thousands(int64(value + 0.5))
	case value >= 10:
		return strconv.FormatFloat(value, 'f', 1, 64)
	default:
		return strconv.FormatFloat(value, 'f', 2, 64)
	}
}

// ratio compares two timings, turn by turn where both took the same turns.
type ratio struct{ middle, least, greatest float64 }

func (t timing) over(other timing) ratio {
	if len(t) != len(other) {
		middle := float64(t.median()) / float64(other.median())
		return ratio{
			middle, float64(slices.Min(t)) / float64(slices.Max(other)), float64(slices.Max(t)) / float64(slices.Min(other)),
		}
	}
	ratios := make([]float64, len(t))
	for i := range t {
		ratios[i] = float64(t[i]) / float64(other[i])
	}
	return ratio{median(ratios), slices.Min(ratios), slices.Max(ratios)}
}

func (r ratio) String() string {
	return fmt.Sprintf("%s× (%s–%s)", threeDigits(r.middle), threeDigits(r.least), threeDigits(r.greatest))
}
