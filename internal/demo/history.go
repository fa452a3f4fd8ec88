package demo

import (
	"math/rand/v2"
	"time"

	"tasktide/internal/jobmon"
)

// Workflow is a workflow that is over.
type Workflow struct {
	Name                   string
	MaxConcurrentlyRunning int64 // tasks; never exceeded by those that are QUEUED, INSTANTIATED, LAUNCHED or RUNNING
	Tasks                  []jobmon.TaskHistory
}

// History makes up the day before now, in microseconds since the Unix epoch, UTC: some workflows of
// a night, one of which failed and left tasks that never ran, and a large one of 40 templates that
// ended minutes ago. Everything ended before now. The same seed and the same now give the same
// history; it depends on now only by being shifted along.
func History(seed uint64, now int64) []Workflow {
	var workflows []Workflow
	for i, plan := range plans() {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		workflows = append(workflows, Workflow{
			Name:                   plan.name,
			MaxConcurrentlyRunning: int64(plan.limit),
			Tasks:                  schedule(rng, plan, now-plan.endedAgo.Microseconds()),
		})
	}
	return workflows
}

// plan is a workflow as its author wrote it.
type plan struct {
	name      string
	limit     int
	endedAgo  time.Duration
	templates []template
}

// template is a kind of task of a plan.
type template struct {
	name     string
	tasks    int
	median   time.Duration // of the run times, which are lognormal
	spread   float64       // the standard deviation of their logarithm
	failures float64       // the share of attempts that fail
	fatal    bool          // whether its tasks may fail for good
	after    []int         // the templates that have to be through first
	delay    time.Duration // from then until the first tasks are ready
	bursts   int           // the tasks become ready in so many parts,
	every    time.Duration // this far apart
}

// usualFailures is the share of attempts that fail in a workflow that is well.
const usualFailures = 0.03

func plans() []plan {
	return []plan{
		{
			name: "nightly_etl", limit: 60, endedAgo: 17 * time.Hour,
			templates: []template{
				{name: "extract_tables", tasks: 120, median: 40 * time.Second, spread: 0.6, failures: usualFailures},
				{name: "validate_rows", tasks: 120, median: 15 * time.Second, spread: 0.4, failures: usualFailures, after: []int{0}},
				{name: "deduplicate", tasks: 90, median: 70 * time.Second, spread: 0.7, failures: usualFailures, after: []int{1}},
				{name: "join_dimensions", tasks: 60, median: 3 * time.Minute, spread: 0.5, failures: usualFailures, after: []int{2}},
				{name: "load_warehouse", tasks: 60, median: 50 * time.Second, spread: 0.3, failures: usualFailures, after: []int{3}},
				{name: "refresh_reports", tasks: 12, median: 4 * time.Minute, spread: 0.3, failures: usualFailures, after: []int{4}},
			},
		},
		{
			name: "training_sweep", limit: 32, endedAgo: 5 * time.Hour,
			templates: []template{
				{name: "prepare_folds", tasks: 24, median: 2 * time.Minute, spread: 0.3, failures: usualFailures},
				{
					name: "train_small", tasks: 180, median: 7 * time.Minute, spread: 0.6,
					failures: usualFailures, after: []int{0}, bursts: 4, every: 35 * time.Minute,
				},
				{
					name: "train_large", tasks: 48, median: 34 * time.Minute, spread: 0.5,
					failures: usualFailures, after: []int{0}, delay: time.Hour, bursts: 3, every: 90 * time.Minute,
				},
				{name: "score_holdout", tasks: 228, median: 25 * time.Second, spread: 0.4, failures: usualFailures, after: []int{1, 2}},
				{name: "rank_models", tasks: 1, median: 2 * time.Minute, spread: 0.1, after: []int{3}},
			},
		},
		{
			name: "forecast_backfill", limit: 80, endedAgo: 9 * time.Hour,
			templates: []template{
				{name: "fetch_observations", tasks: 200, median: 30 * time.Second, spread: 0.8, failures: usualFailures},
				{name: "assimilate", tasks: 160, median: 4 * time.Minute, spread: 0.5, failures: 0.35, fatal: true, after: []int{0}},
				{name: "run_forecast", tasks: 160, median: 12 * time.Minute, spread: 0.4, failures: usualFailures, after: []int{1}},
				{name: "publish_grids", tasks: 40, median: time.Minute, spread: 0.3, failures: usualFailures, after: []int{2}},
			},
		},
		{
			name: "image_quality", limit: 40, endedAgo: 3 * time.Hour,
			templates: []template{
				{
					name: "decode_scans", tasks: 400, median: 20 * time.Second, spread: 0.3,
					failures: usualFailures, bursts: 10, every: 6 * time.Minute,
				},
				{
					name: "measure_noise", tasks: 400, median: 12 * time.Second, spread: 0.4,
					failures: usualFailures, delay: time.Minute, bursts: 10, every: 6 * time.Minute,
				},
				{name: "summarize_sites", tasks: 25, median: 90 * time.Second, spread: 0.4, failures: usualFailures, after: []int{0, 1}},
			},
		},
		populationModel(),
	}
}

// populationModel is the large workflow: for each of five measures, eight steps one after another.
func populationModel() plan {
	measures := []string{"mortality", "fertility", "migration", "exposure", "coverage"}
	steps := []template{
		{name: "extract", tasks: 120, median: 3 * time.Minute, spread: 0.6},
		{name: "clean", tasks: 160, median: 4 * time.Minute, spread: 0.5},
		{name: "split", tasks: 100, median: 2 * time.Minute, spread: 0.4, bursts: 3, every: 12 * time.Minute},
		{name: "fit", tasks: 240, median: 24 * time.Minute, spread: 0.7},
		{name: "predict", tasks: 240, median: 9 * time.Minute, spread: 0.5, bursts: 4, every: 18 * time.Minute},
		{name: "draw", tasks: 400, median: 5 * time.Minute, spread: 0.4, bursts: 5, every: 22 * time.Minute},
		{name: "aggregate", tasks: 120, median: 11 * time.Minute, spread: 0.5},
		{name: "plot", tasks: 60, median: 90 * time.Second, spread: 0.3},
	}
	model := plan{name: "population_model", limit: 220, endedAgo: 12 * time.Minute}
	for m, measure := range measures {
		for s, step := range steps {
			step.name += "_" + measure
			step.failures = usualFailures
			if s == 0 {
				step.delay = time.Duration(m) * 75 * time.Minute
			} else {
				step.after = []int{len(model.templates) - 1}
				step.delay = time.Duration(5+3*m) * time.Minute
			}
			model.templates = append(model.templates, step)
		}
	}
	return model
}
