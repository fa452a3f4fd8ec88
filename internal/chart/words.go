package chart

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// Number writes a number as the page does: with thousands separators and at most three decimals.
func Number(value float64) string { return humanize.Commaf(math.Round(value*1000) / 1000) }

// Share writes a share from 0 to 1 as a percentage.
func Share(share float64) string {
	if share > 0 && share < 0.001 {
		return "<0.1%"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", share*100), ".0") + "%"
}

// Instant writes an instant in UTC with all digits that it has: "2022-05-13 03:24:14.803 UTC".
func Instant(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05.999999") + " UTC" }

// Span writes a half-open span in UTC; the day of its end is written only where it is another.
func Span(from, to time.Time) string {
	const day = time.DateOnly
	from, to = from.UTC(), to.UTC()
	layout := time.DateTime
	if from.Format(day) == to.Format(day) {
		layout = time.TimeOnly
	}
	return from.Format(time.DateTime) + " – " + to.Format(layout) + " UTC"
}

// Duration writes seconds in their two largest units: "42 min 14 s".
func Duration(seconds int64) string {
	var parts []string
	for _, unit := range []struct {
		name string
		size int64
	}{{"d", 86_400}, {"h", 3_600}, {"min", 60}, {"s", 1}} {
		n := seconds / unit.size
		seconds -= n * unit.size
		if n > 0 {
			parts = append(parts, Number(float64(n))+" "+unit.name)
		} else if len(parts) > 0 {
			break
		}
	}
	if len(parts) == 0 {
		return "0 s"
	}
	return strings.Join(parts[:min(2, len(parts))], " ")
}

// statistics says of each statistic what its numbers are.
var statistics = map[string]string{
	"mean":    "time-weighted mean of the bucket",
	"start":   "number at the first instant of the bucket",
	"peak":    "largest number at any instant of the bucket",
	"entered": "tasks that entered the status in the bucket",
}

// Statistic says what the numbers of an answer are.
func (a Answer) Statistic() string { return statistics[a.Stat] }

// Counted says what is counted: "running", or in which statuses.
func (a Answer) Counted() string {
	switch letters := strings.Join(a.Statuses, ""); letters {
	case "R":
		return "running"
	case "QI":
		return "in PENDING"
	case "QIOR":
		return "in ACTIVE"
	default:
		return "in " + strings.Join(a.Statuses, " + ")
	}
}

// TotalOf says what the total is of.
func (a Answer) TotalOf() string {
	names := map[string]bool{}
	for _, series := range a.Series {
		names[series.TaskTemplateName] = true
	}
	if a.Other != nil {
		return fmt.Sprintf("%d templates together", len(names)+a.Other.Templates)
	}
	if len(a.Series) == 1 {
		return a.Series[0].Name()
	}
	return fmt.Sprintf("%d templates together", len(names))
}
