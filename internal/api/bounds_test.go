package api_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"tasktide/internal/store"
	"tasktide/internal/upkeep"
)

// afterTheRows loads three minutes that are known from their counts only.
func (f *fixture) afterTheRows() (path string) {
	f.t.Helper()
	workflow := f.threeMinutes()
	if err := upkeep.NewRollUp(f.store, slog.New(slog.DiscardHandler)).Pass(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	err := f.store.Maintain(f.t.Context(), func(ctx context.Context, tx store.UpkeepTx) error {
		h, err := tx.LockHorizon(ctx, workflow)
		if err != nil {
			return err
		}
		h.RowsFrom, h.DataFrom = noon.Add(time.Hour).UnixMicro(), noon.Add(-12*time.Hour).UnixMicro()
		h.FirstAt, h.LastAt = noon.Add(30*time.Second).UnixMicro(), noon.Add(2*time.Minute).UnixMicro()
		if err := tx.SaveHorizon(ctx, h); err != nil {
			return err
		}
		_, err = tx.DeleteTransitions(ctx, store.TransitionFilter{WorkflowID: workflow, Before: h.RowsFrom}, 1000)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?start=2025-05-27T12:00:00Z&end=2025-05-27T12:03:00Z", workflow)
}

// Rows have no place to say that a number is an upper bound, so they are refused where it is one.
func TestRowsOfUpperBounds(t *testing.T) {
	f := newFixture(t)
	path := f.afterTheRows()
	union := path + "&status=R&status=D"
	f.check([]refusal{
		{"GET", union + "&stat=peak", "", 400, "invalid", "stat", "format=columns"},
		{"GET", union + "&stat=entered", "", 400, "invalid", "stat", "upper bound"},
		{"GET", strings.Replace(path, "2025-05-27T12:00", "2025-05-26T12:00", 1), "", 400, "invalid", "start", "data_from"},
		{"GET", path + "&granularity=30s", "", 400, "invalid", "granularity", "rows_from"},
	})
	row := func(minute int, template string, count any) string {
		return fmt.Sprintf(`{"timestamp": "2025-05-27T12:0%d:00Z", "task_template_name": %q, "concurrent_count": %v}`, minute, template, count)
	}
	for query, want := range map[string][]string{
		union + "&stat=start":              {row(1, "load", 1), row(2, "burst", 2), row(2, "load", 1)},
		union + "&stat=mean":               {row(0, "load", 0.5), row(1, "burst", 1.5), row(1, "load", 1), row(2, "burst", 2), row(2, "load", 1)},
		path + "&stat=peak":                {row(0, "load", 1), row(1, "burst", 2), row(1, "load", 1)},
		path + "&stat=entered":             {row(0, "load", 1), row(1, "burst", 2)},
		path + "&status=ACTIVE":            {row(1, "load", 1)},
		path + "&stat=peak&status=Q":       {},
		union + "&task_template_name=load": {row(1, "load", 1), row(2, "load", 1)},
	} {
		f.send("GET", query, "").is(`{"data": [` + strings.Join(want, ",") + `]}`)
	}
}

func TestColumnsOfUpperBounds(t *testing.T) {
	f := newFixture(t)
	path := f.afterTheRows() + "&format=columns"
	for _, c := range []struct{ query, values, peaks, total string }{
		{"", "exact", "exact", "exact"},
		{"&stat=peak", "exact", "exact", "exact"},
		{"&status=R&status=D", "exact", "upper_bound", "upper_bound"},
		{"&status=R&status=D&stat=mean", "exact", "upper_bound", "upper_bound"},
		{"&status=R&status=D&stat=peak", "upper_bound", "upper_bound", "upper_bound"},
		{"&status=R&status=D&stat=entered", "upper_bound", "upper_bound", "upper_bound"},
		{"&status=ACTIVE&stat=entered", "exact", "exact", "exact"},
	} {
		got := f.send("GET", path+c.query, "").ok()
		says := fmt.Sprint(at(t, got, "values_are"), at(t, got, "series", 0, "peak_is"), at(t, got, "total", "peak_is"))
		if want := fmt.Sprint(c.values, c.peaks, c.total); says != want {
			t.Errorf("%s: %s, want %s", c.query, says, want)
		}
		// The instant of a peak that may never have been means nothing.
		if none := at(t, got, "total", "peak_at") == nil; none != (c.total == "upper_bound") {
			t.Errorf("%s: the peak is at %v", c.query, at(t, got, "total", "peak_at"))
		}
		if at(t, got, "rows_from") != "2025-05-27T13:00:00Z" || at(t, got, "data_from") != "2025-05-27T00:00:00Z" {
			t.Errorf("%s: rows from %v, data from %v", c.query, at(t, got, "rows_from"), at(t, got, "data_from"))
		}
	}
}

func TestMaxPoints(t *testing.T) {
	f := newFixture(t)
	path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?format=columns&start=2025-05-27T12:00:00Z&end=2025-05-27T12:03:00Z", f.threeMinutes())
	for query, want := range map[string]string{
		"&granularity=auto&max_points=1": "300", "&granularity=auto&max_points=7": "30", "&granularity=auto&max_points=50000": "1",
		"&granularity=auto": "1", "&max_points=1": "60", // it chooses nothing where nothing is to be chosen
	} {
		if got := fmt.Sprint(at(t, f.send("GET", path+query, "").ok(), "bucket", "seconds")); got != want {
			t.Errorf("%s: buckets of %s s, want %s", query, got, want)
		}
	}
}
