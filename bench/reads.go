package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store/testdb"
	"tasktide/internal/timeline"
)

// view is a chart of a workload: its last so many hours, in buckets.
type view struct {
	size   string
	shown  string
	span   time.Duration
	bucket time.Duration
}

const day = 24 * time.Hour

// The charts that are measured. A month by the minute has more cells than an answer may hold with 60
// templates: the 29.5 days are the longest that it may.
var (
	viewS     = view{size: "S", shown: "24 h @ 1 min", span: day, bucket: time.Minute}
	viewSHalf = view{size: "S", shown: "12 h @ 1 min", span: day / 2, bucket: time.Minute}
	viewM     = view{size: "M", shown: "24 h @ 1 min", span: day, bucket: time.Minute}
	viewLHour = view{size: "L", shown: "30 d @ 1 h", span: 30 * day, bucket: time.Hour}
	viewLHalf = view{size: "L", shown: "30 d @ 30 min", span: 30 * day, bucket: 30 * time.Minute}
	viewLFine = view{size: "L", shown: "29.5 d @ 1 min", span: 59 * day / 2, bucket: time.Minute}
	views     = []view{
		viewS, viewSHalf, viewM, viewLHour, viewLHalf, viewLFine,
		{size: "X", shown: "24 h @ 1 min", span: day, bucket: time.Minute},
		{size: "X", shown: "30 d @ 30 min", span: 30 * day, bucket: 30 * time.Minute},
		{size: "X", shown: "90 d @ 1 h", span: 90 * day, bucket: time.Hour},
	}
)

func (v view) String() string { return v.size + " " + v.shown }

// request asks a database for a chart of tasks that are RUNNING.
func (v view) request(workflow int64) timeline.Request {
	until := end.UnixMicro()
	return timeline.Request{
		WorkflowID: workflow, Start: until - v.span.Microseconds(), End: &until, Bucket: v.bucket.Microseconds(),
		Statuses: concurrency.Of(jobmon.TaskRunning),
	}
}

// figure says what a timing is of.
type figure struct{ what, who string }

// Who, besides the databases.
const (
	duckMeans = "DuckDB, start and mean"
	duckPeak  = "DuckDB, peak"
	duckBoth  = "DuckDB, both"
	prdSQL    = "the PRD's SQL"
	overHTTP  = ", HTTP"
	cold      = ", cold"
)

// readSide is the measuring of answers and of the roll-up.
type readSide struct {
	options

	beds     []*bed
	duck     *duck
	page     *readPage
	progress io.Writer
}

// measureReads fills the page's part about answers.
func measureReads(ctx context.Context, o options, page *report, progress io.Writer) (err error) {
	r := &readSide{options: o, page: &page.reads, progress: progress}
	r.page.begin(o)
	defer func() {
		for _, b := range r.beds {
			err = errors.Join(err, b.close())
		}
		if r.duck != nil {
			err = errors.Join(err, r.duck.close())
		}
	}()
	for _, kind := range o.databases {
		b, err := openBed(ctx, kind, o.media[0].directory)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		r.beds = append(r.beds, b)
		page.know(kind, b.version)
	}
	if r.duck, err = openDuck(ctx); err != nil {
		return err
	}
	page.versions = append(page.versions, fact{"DuckDB", r.duck.version + ", in memory, 2 threads"})
	return r.measure(ctx)
}

func (r *readSide) measure(ctx context.Context) error {
	stored := map[string]*population{}
	var largest *population
	for _, size := range r.sizes {
		p, err := load(ctx, r.beds, size, r.progress)
		if err == nil {
			err = r.measureSize(ctx, p)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", size.Name, err)
		}
		stored[size.Name], largest = p, p
	}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return r.followScreen(ctx, stored) },
		func(ctx context.Context) error { return r.weigh(ctx, stored[cmp.Or(r.weighed(), largest.name)]) },
		func(ctx context.Context) error { return r.rebuildHour(ctx, largest) },
		r.measureDistance,
		r.measureLive,
		func(ctx context.Context) error { return r.measureMemory(ctx, largest) },
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// weighed is the size whose answers are weighed, if it is there.
func (r *readSide) weighed() string {
	for _, size := range r.sizes {
		if size.Name == viewM.size {
			return size.Name
		}
	}
	return ""
}

// measureSize measures one workload, before and after it is summed up. Nothing is timed before its numbers
// are known to be right.
func (r *readSide) measureSize(ctx context.Context, p *population) error {
	if err := r.duck.load(ctx, r.beds[0], p); err != nil {
		return err
	}
	if p.rows <= timeline.MaxTransitions {
		if err := r.agree(ctx, p, "cold"); err != nil {
			return err
		}
		if err := r.timeCold(ctx, p); err != nil {
			return err
		}
	}
	for _, b := range r.beds {
		if err := r.timeRollUp(ctx, b, p); err != nil {
			return err
		}
	}
	if err := r.agree(ctx, p, "rolled up"); err != nil {
		return err
	}
	if err := r.timePRD(ctx, p); err != nil {
		return err
	}
	if err := r.timeViews(ctx, p); err != nil {
		return err
	}
	return r.timeQuestions(ctx, p)
}

func viewsOf(p *population) []view {
	return slices.DeleteFunc(slices.Clone(views), func(v view) bool { return v.size != p.name })
}

// agree returns an error unless all databases and DuckDB give the same numbers.
func (r *readSide) agree(ctx context.Context, p *population, how string) error {
	for _, v := range viewsOf(p) {
		var theirs table
		for i, b := range r.beds {
			answer, err := b.line.Concurrency(ctx, v.request(p.workflow[b.kind]))
			if err != nil {
				return fmt.Errorf("%s, %s: %w", v, names[b.kind], err)
			}
			if answer.UpperBound != (timeline.UpperBound{}) || len(answer.Defects) > 0 {
				return fmt.Errorf("%s, %s: not every number is exact", v, names[b.kind])
			}
			ours := tableOf(names[b.kind]+", "+how, answer)
			if i == 0 {
				if theirs, err = r.duck.table(ctx, p.name, ours.templates, ours.window); err != nil {
					return err
				}
			}
			numbers, err := ours.compare(theirs)
			if err != nil {
				return fmt.Errorf("%s: %w", v, err)
			}
			r.page.compared += int64(numbers)
		}
	}
	_, err := fmt.Fprintf(r.progress, "%s, %s: all answers agree\n", p.name, how)
	return err
}

// timeCold times answers out of rows alone.
func (r *readSide) timeCold(ctx context.Context, p *population) error {
	for _, v := range viewsOf(p) {
		var all []contestant
		for _, b := range r.beds {
			all = append(all, b.inside(v, p, names[b.kind]+cold))
		}
		if err := r.time(ctx, v.String(), all); err != nil {
			return err
		}
	}
	return nil
}

// timeViews times answers out of cells, DuckDB's beside them.
func (r *readSide) timeViews(ctx context.Context, p *population) error {
	for _, v := range viewsOf(p) {
		var all []contestant
		for _, b := range r.beds {
			all = append(all, b.inside(v, p, names[b.kind]), b.overHTTP(v, p))
		}
		request := v.request(0)
		window := concurrency.Align(request.Start, *request.End, request.Bucket)
		all = append(all,
			contestant{name: duckMeans, slow: true, run: func(ctx context.Context) error { return r.duck.levels(ctx, p.name, window) }},
			contestant{name: duckPeak, slow: true, run: func(ctx context.Context) error { return r.duck.peaks(ctx, p.name, window) }},
		)
		if err := r.time(ctx, v.String(), all); err != nil {
			return err
		}
		// What Tasktide says in one answer takes DuckDB both.
		both := slices.Clone(r.page.times[figure{v.String(), duckMeans}])
		for i, took := range r.page.times[figure{v.String(), duckPeak}] {
			both[i] += took
		}
		r.page.times[figure{v.String(), duckBoth}] = both
	}
	return nil
}

func (b *bed) inside(v view, p *population, name string) contestant {
	request := v.request(p.workflow[b.kind])
	return contestant{name: name, run: func(ctx context.Context) error {
		_, err := b.line.Concurrency(ctx, request)
		return err
	}}
}

func (b *bed) overHTTP(v view, p *population) contestant {
	path := pathOf(p.workflow[b.kind], v.request(p.workflow[b.kind]), "mean")
	return contestant{name: names[b.kind] + overHTTP, run: func(ctx context.Context) error { return b.web.read(ctx, path) }}
}

// time lets contestants take turns and keeps their timings.
func (r *readSide) time(ctx context.Context, what string, all []contestant) error {
	took, err := takeTurns(ctx, r.rounds, all)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for i, c := range all {
		r.page.times[figure{what, c.name}] = took[i]
		if _, err := fmt.Fprintf(r.progress, "%s: %s %s\n", what, c.name, took[i]); err != nil {
			return err
		}
	}
	return nil
}

// timePRD compares the PRD's counts with ours, and times its statement.
func (r *readSide) timePRD(ctx context.Context, p *population) (err error) {
	i := slices.IndexFunc(r.beds, func(b *bed) bool { return b.kind == testdb.PostgreSQL })
	v := map[string]view{viewS.size: viewS, viewM.size: viewM}[p.name]
	if i < 0 || v.size == "" {
		return nil
	}
	b := r.beds[i]
	statement, err := openPRD(ctx, b)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, statement.close()) }()
	count := func(v view) (wrong, all int, err error) {
		answer, err := b.line.Concurrency(ctx, v.request(p.workflow[b.kind]))
		if err != nil {
			return 0, 0, err
		}
		return statement.counts(ctx, p.workflow[b.kind], tableOf(names[b.kind], answer))
	}
	wrong, all, err := count(v)
	if err != nil {
		return err
	}
	if wrong > 0 {
		return fmt.Errorf("%s: %d of %d counts of the PRD's SQL are others than ours", v, wrong, all)
	}
	r.page.prdCounts += all
	if p.name == viewSHalf.size {
		// Here the window begins within the workflow, and the statement's look back of an hour shows.
		if r.page.prdWrong, r.page.prdOf, err = count(viewSHalf); err != nil {
			return err
		}
	}
	request := v.request(p.workflow[b.kind])
	window := concurrency.Align(request.Start, *request.End, request.Bucket)
	statementOnce := contestant{name: prdSQL, slow: true, run: func(ctx context.Context) error {
		return statement.run(ctx, p.workflow[b.kind], window)
	}}
	const long = 10 * time.Second
	took, err := takeTurns(ctx, 1, []contestant{statementOnce})
	if err == nil && took[0][0] < long && r.rounds > 1 {
		var more []timing
		more, err = takeTurns(ctx, r.rounds-1, []contestant{statementOnce})
		took = append(took, more...)
	}
	if err != nil {
		return err
	}
	r.page.times[figure{v.String(), prdSQL}] = slices.Concat(took...)
	_, err = fmt.Fprintf(r.progress, "%s: %s %s\n", v, prdSQL, slices.Concat(took...))
	return err
}

// followScreen times charts of a day and of a month with equal numbers of buckets side by side.
func (r *readSide) followScreen(ctx context.Context, stored map[string]*population) error {
	for _, pair := range screenPairs() {
		small, large := stored[pair.small.size], stored[pair.large.size]
		if small == nil || large == nil {
			continue
		}
		var all []contestant
		for _, b := range r.beds {
			all = append(all,
				b.inside(pair.small, small, names[b.kind]+", the day"),
				b.inside(pair.large, large, names[b.kind]+", the month"))
		}
		if err := r.time(ctx, pair.String(), all); err != nil {
			return err
		}
	}
	return nil
}

// screenPair is two charts with equal numbers of buckets.
type screenPair struct{ small, large view }

func (p screenPair) String() string { return p.large.String() + " ÷ " + p.small.String() }

func screenPairs() []screenPair { return []screenPair{{viewS, viewLHalf}, {viewSHalf, viewLHour}} }

// weigh takes the lengths of answers.
func (r *readSide) weigh(ctx context.Context, p *population) error {
	v := viewsOf(p)[0]
	b := r.beds[0]
	for _, stat := range []string{"peak", "mean"} {
		w, err := b.web.weigh(ctx, pathOf(p.workflow[b.kind], v.request(p.workflow[b.kind]), stat))
		if err != nil {
			return err
		}
		r.page.weights = append(r.page.weights, weighing{v, stat, w})
	}
	return nil
}
