package main

import (
	"fmt"
	"slices"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/timeline"
)

// table is an answer in numbers that can be held against another's: of each template, and of all together.
type table struct {
	of        string // who answered
	window    concurrency.Window
	templates []string
	series    []concurrency.Series
	total     concurrency.Series
}

func tableOf(who string, answer timeline.Answer) table {
	return table{who, answer.Window, answer.Templates, answer.Series, answer.Total}
}

// statistic is a number of a bucket. A mean is the integral, which is a whole number, over the width, so it
// is the integrals that are compared: no tolerance is needed.
type statistic struct {
	name string
	of   func(s concurrency.Series) []int64
}

func statistics() []statistic {
	return []statistic{
		{"start", func(s concurrency.Series) []int64 { return s.Start }},
		{"integral", func(s concurrency.Series) []int64 { return s.Area }},
		{"peak", func(s concurrency.Series) []int64 { return s.Peak }},
		{"instant of the peak", func(s concurrency.Series) []int64 { return s.PeakAt }},
		{"number entered", func(s concurrency.Series) []int64 { return s.Entered }},
	}
}

// compare returns an error that names the first number in which two answers differ, and how many numbers were
// compared.
func (t table) compare(other table) (numbers int, err error) {
	if t.window != other.window || !slices.Equal(t.templates, other.templates) {
		return 0, fmt.Errorf("%s answers of %+v and %v, %s of %+v and %v",
			t.of, t.window, t.templates, other.of, other.window, other.templates)
	}
	series, others := append(slices.Clone(t.series), t.total), append(slices.Clone(other.series), other.total)
	for i := range series {
		name := "all templates"
		if i < len(t.templates) {
			name = t.templates[i]
		}
		for _, s := range statistics() {
			ours, theirs := s.of(series[i]), s.of(others[i])
			if len(ours) != t.window.Count || len(theirs) != t.window.Count {
				return numbers, fmt.Errorf("%s: the %s has %d numbers from %s and %d from %s; the window has %d buckets",
					name, s.name, len(ours), t.of, len(theirs), other.of, t.window.Count)
			}
			for b := range ours {
				if ours[b] != theirs[b] {
					return numbers, fmt.Errorf("%s, bucket at %s: the %s is %d by %s and %d by %s", name,
						time.UnixMicro(t.window.BucketStart(b)).UTC().Format(time.RFC3339), s.name, ours[b], t.of, theirs[b], other.of)
				}
			}
			numbers += len(ours)
		}
	}
	return numbers, nil
}
