package chart

import (
	"math"
	"time"
)

// Step returns the smallest of 1, 2 or 5 times a power of ten by which at most so many steps reach a number. Tasks are
// whole: it is 1 at least.
func Step(highest float64, most int) float64 {
	for power := 1.0; ; power *= 10 {
		for _, step := range []float64{1, 2, 5} {
			if step*power*float64(most) >= highest {
				return step * power
			}
		}
	}
}

// timeSteps are the widths that the time axis may be divided into.
var timeSteps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 7 * day, 14 * day, 28 * day, 56 * day, 112 * day, 224 * day, 448 * day,
}

const day = 24 * time.Hour

// Tick is a place on the time axis.
type Tick struct {
	At   int64  // microseconds since the Unix epoch
	Text string // 15:04, 15:04:05 or 01-02, in UTC
	Day  string // 2006-01-02 at the first tick, and where the day changes; else ""
}

// Ticks divides the time axis into at most so many steps.
func (c Chart) Ticks(most int) []Tick {
	whole := c.Whole()
	width := timeSteps[len(timeSteps)-1]
	for _, step := range timeSteps {
		if float64(whole)/float64(step.Microseconds()) <= float64(most) {
			width = step
			break
		}
	}
	layout := "15:04"
	switch {
	case width < time.Minute:
		layout = time.TimeOnly
	case width >= day:
		layout = "01-02"
	}
	step := width.Microseconds()
	first := int64(math.Ceil(float64(c.Start)/float64(step))) * step
	var ticks []Tick
	before := ""
	for at := first; at < c.Start+whole; at += step {
		tick := Tick{At: at, Text: Time(at).Format(layout)}
		// Of ticks that are days, the year is what changes.
		date := Time(at).Format(time.DateOnly)
		if width >= day {
			date = Time(at).Format("2006")
		}
		if date != before {
			tick.Day, before = date, date
		}
		ticks = append(ticks, tick)
	}
	return ticks
}
