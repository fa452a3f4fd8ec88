package chart_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tasktide/internal/chart"
)

func answer(t *testing.T) (answer chart.Answer) {
	t.Helper()
	content, err := os.ReadFile("testdata/answer.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestTheStackIsOrderedByTaskTime(t *testing.T) {
	c := chart.New(answer(t), nil, chart.Light)
	var names []string
	for _, band := range c.Legend {
		names = append(names, band.Name)
	}
	last := len(names) - 1
	if names[last] != "Other (2 templates)" || c.Bands[0].Name != names[last] || c.Bands[last].Name != names[0] {
		t.Errorf("the legend is %q, and the stack begins with %q", names, c.Bands[0].Name)
	}
	if !slices.IsSortedFunc(c.Legend[:last], func(a, b chart.Band) int { return int(b.TaskSeconds - a.TaskSeconds) }) {
		t.Errorf("the legend %q is not sorted", names)
	}
	share := 0.0
	for _, band := range c.Legend {
		share += band.Share
	}
	if share < 0.9999 || share > 1.0001 {
		t.Errorf("the shares add up to %v", share)
	}
}

// A template has the same mark, whatever else is in the window.
func TestMarksDependOnAllNames(t *testing.T) {
	whole := answer(t)
	var names []string
	for _, series := range whole.Series {
		names = append(names, series.TaskTemplateName)
	}
	part := whole
	part.Series = whole.Series[3:5]
	all := chart.New(whole, names, chart.Dark)
	for _, band := range chart.New(part, names, chart.Dark).Legend[:2] {
		i := slices.IndexFunc(all.Legend, func(b chart.Band) bool { return b.Name == band.Name })
		if all.Legend[i].Mark != band.Mark {
			t.Errorf("%s is %v, and %v among all", band.Name, band.Mark, all.Legend[i].Mark)
		}
	}
}

// Peaks of templates do not add up; entries have no level.
func TestOtherStatistics(t *testing.T) {
	peak := answer(t)
	peak.Stat = "peak"
	if c := chart.New(peak, nil, chart.Light); len(c.Bands) != 1 || !cmp.Equal(c.Bands[0].Values, peak.Total.Values) || len(c.Legend) != 11 {
		t.Errorf("of peaks, %d bands and %d templates are drawn", len(c.Bands), len(c.Legend))
	}
	entered := answer(t)
	entered.Stat = "entered"
	if c := chart.New(entered, nil, chart.Light); c.Peaks != nil || c.Limit != nil || len(c.Bands) != 11 {
		t.Errorf("of entries, peaks %v and limit %v are drawn", c.Peaks, c.Limit)
	}
}

func TestALimitFarAboveIsNotDrawn(t *testing.T) {
	a := answer(t)
	far := int64(100_000)
	a.Limits[0].Steps = []chart.LimitStep{{From: a.Window.Start, Limit: &far}}
	if c := chart.New(a, nil, chart.Light); !c.LimitAbove || c.Highest > 100 || *c.LastLimit() != far {
		t.Errorf("the chart reaches up to %v", c.Highest)
	}
	a.Statuses = []string{"D"}
	if c := chart.New(a, nil, chart.Light); c.LastLimit() != nil {
		t.Error("tasks that are DONE have a limit")
	}
}

// However many columns there are, no bucket is without one, and none hides a peak.
func TestNoColumnHidesAPeak(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 3000).Draw(t, "buckets")
		live := rapid.IntRange(1, count).Draw(t, "begun")
		first := time.Date(2022, 5, 13, 0, 0, 0, 0, time.UTC)
		width := rapid.SampledFrom([]int64{1, 5, 60, 3600, 86_400}).Draw(t, "seconds")
		a := chart.Answer{
			Stat: "mean", Bucket: chart.Bucket{Seconds: width, First: first, Count: count},
			Total:  chart.Total{Peaks: make([]int64, count)},
			Series: []chart.Series{{TaskTemplateName: "t", Values: make([]float64, count)}},
		}
		if live < count {
			partial := first.Add(time.Duration(int64(live-1)*width) * time.Second)
			a.PartialFrom = &partial
			a.GeneratedAt = partial.Add(time.Duration(rapid.Int64Range(1, width*1e6).Draw(t, "into")) * time.Microsecond)
		}
		most := 0
		for range rapid.IntRange(0, 30).Draw(t, "peaks") {
			i := rapid.IntRange(0, live-1).Draw(t, "at")
			a.Total.Peaks[i] = rapid.Int64Range(1, 1000).Draw(t, "peak")
			a.Series[0].Values[i] = float64(a.Total.Peaks[i]) / 2
			if a.Total.Peaks[i] > a.Total.Peaks[most] {
				most = i
			}
		}
		at := first.Add(time.Duration(int64(most)*width) * time.Second)
		a.Total.Peak, a.Total.PeakAt = a.Total.Peaks[most], &at
		n := rapid.IntRange(1, 500).Draw(t, "columns")
		c := chart.New(a, nil, chart.Light)
		columns := c.Columns(n)
		marked := 0
		highest := int64(0)
		for _, column := range columns {
			highest = max(highest, column.Peak)
			if column.HasMax {
				marked++
				if column.Peak < a.Total.Peak {
					t.Fatalf("the column of the window's peak, %d, shows %d", a.Total.Peak, column.Peak)
				}
			}
		}
		if marked != 1 || highest != slices.Max(a.Total.Peaks) {
			t.Fatalf("%d columns have the window's peak; the highest shows %d of %d", marked, highest, slices.Max(a.Total.Peaks))
		}
		for i, peak := range a.Total.Peaks[:live] {
			x := i * n / count // the column in which the bucket begins
			if columns[x].Peak < peak {
				t.Fatalf("column %d shows %d, and bucket %d in it has %d", x, columns[x].Peak, i, peak)
			}
		}
	})
}

func TestTicks(t *testing.T) {
	ticksOf := func(first time.Time, seconds int64, count, most int) (texts []string) {
		bucket := chart.Bucket{Seconds: seconds, First: first, Count: count}
		c := chart.New(chart.Answer{Bucket: bucket, Total: chart.Total{Peaks: make([]int64, count)}}, nil, chart.Light)
		for _, tick := range c.Ticks(most) {
			texts = append(texts, tick.Text+" "+tick.Day)
		}
		return texts
	}
	night := time.Date(2021, 12, 31, 23, 50, 30, 0, time.UTC)
	for _, c := range []struct {
		got, want []string
	}{
		{ticksOf(night, 60, 40, 4), []string{"00:00 2022-01-01", "00:10 ", "00:20 ", "00:30 "}},
		{ticksOf(night, 1, 60, 5), []string{"23:50:30 2021-12-31", "23:50:45 ", "23:51:00 ", "23:51:15 "}},
		{ticksOf(night, 86_400, 30, 5), []string{"01-06 2022", "01-13 ", "01-20 ", "01-27 "}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

func TestAnswersThatDoNotFitTogether(t *testing.T) {
	if err := answer(t).Check(); err != nil {
		t.Error(err)
	}
	for what, damage := range map[string]func(*chart.Answer){
		"no bucket width":  func(a *chart.Answer) { a.Bucket.Seconds = 0 },
		"too few buckets":  func(a *chart.Answer) { a.Bucket.Count = 1 },
		"too few values":   func(a *chart.Answer) { a.Series[2].Values = nil },
		"too few of other": func(a *chart.Answer) { a.Other.Values = a.Other.Values[1:] },
		"too few peaks":    func(a *chart.Answer) { a.Total.Peaks = a.Total.Peaks[:3] },
	} {
		a := answer(t)
		if damage(&a); a.Check() == nil {
			t.Errorf("an answer with %s is taken", what)
		}
	}
}

func TestWords(t *testing.T) {
	at := time.Date(2022, 5, 13, 3, 24, 14, 803_000_000, time.UTC)
	for got, want := range map[string]string{
		chart.Number(34234.716):              "34,234.716",
		chart.Number(147):                    "147",
		chart.Share(0.5196):                  "52%",
		chart.Share(0.0004):                  "<0.1%",
		chart.Share(0):                       "0%",
		chart.Instant(at):                    "2022-05-13 03:24:14.803 UTC",
		chart.Span(at, at.Add(time.Minute)):  "2022-05-13 03:24:14 – 03:25:14 UTC",
		chart.Span(at, at.Add(24*time.Hour)): "2022-05-13 03:24:14 – 2022-05-14 03:24:14 UTC",
		chart.Duration(90):                   "1 min 30 s",
		chart.Duration(86_400):               "1 d",
		chart.Duration(0):                    "0 s",
		chart.Answer{Statuses: []string{"Q", "I"}}.Counted(): "in PENDING",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for highest, want := range map[float64]float64{0: 1, 3: 1, 7: 2, 147: 50, 600: 200} {
		if got := chart.Step(highest, 4); got != want {
			t.Errorf("up to %v, the step is %v, not %v", highest, got, want)
		}
	}
}
