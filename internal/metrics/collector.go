package metrics

import (
	"context"
	"database/sql"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"

	"tasktide/internal/api"
	"tasktide/internal/cache"
	"tasktide/internal/store/sqlstore"
)

// state is what a source tells at one instant.
type state struct {
	health     api.Health
	asked      bool // whether the database has answered
	written    sqlstore.Written
	contention sqlstore.Contention
	answers    cache.Stats
	pages      api.Telemetry
}

// value is a metric without labels.
type value struct {
	name, help string
	kind       prometheus.ValueType
	of         func(s *state) float64
	asks       bool // it is left out when the database does not answer
}

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

var values = []value{
	{"tasktide_database_up", "Whether the database has answered this scrape.", gauge,
		func(s *state) float64 { return truth(s.asked) }, false},

	{"tasktide_task_transitions_total",
		"Statuses that tasks entered by committed transactions of this server. Imports are left out.", counter,
		func(s *state) float64 { return float64(s.written.Transitions) }, false},
	{"tasktide_audit_rows_total", "Rows of the audit that the database has stored for transitions of this server.", counter,
		func(s *state) float64 { return float64(s.written.AuditRows) }, false},
	{"tasktide_clock_clamps_total", "Moves dated by their task because the database's clock was behind by minutes.", counter,
		func(s *state) float64 { return float64(s.health.Writes.ClockClamps) }, false},

	{"tasktide_transaction_retries_total", "Runs of transactions that met others and were repeated.", counter,
		func(s *state) float64 { return float64(s.contention.Retried) }, false},
	{"tasktide_transaction_deadlocks_total",
		"Runs of transactions that the database ended because of a deadlock, and that were repeated.", counter,
		func(s *state) float64 { return float64(s.contention.Deadlocks) }, false},
	{"tasktide_transactions_given_up_total", "Transactions given up because others held what they need, or all connections.", counter,
		func(s *state) float64 { return float64(s.contention.Reported) }, false},

	{"tasktide_rollup_lag_seconds", "How long ago the earliest minute was over that is not summed up yet; 0 when there is none.", gauge,
		func(s *state) float64 { return s.health.RollUp.LagSeconds }, true},
	{"tasktide_rollup_marked_workflows", "Workflows with minutes that are not summed up yet, up to 1,000.", gauge,
		func(s *state) float64 { return float64(s.health.RollUp.MarkedWorkflows) }, true},
	{"tasktide_rollup_rows_total", "Rows of the audit that this server has summed up.", counter,
		func(s *state) float64 { return float64(s.health.RollUp.Rows) }, false},
	{"tasktide_rollup_damaged_blocks_total", "Damaged blocks of cells that this server has found.", counter,
		func(s *state) float64 { return float64(s.health.RollUp.DamagedBlocks) }, false},

	{"tasktide_verification_timestamp_seconds", "When the last verification of everything ended; 0 before the first.", gauge,
		func(s *state) float64 { return seconds(s.health.Verification.Ended) }, false},
	{"tasktide_verification_tasks", "Tasks that the last verification has looked at.", gauge,
		func(s *state) float64 { return float64(s.health.Verification.Tasks) }, false},
	{"tasktide_verification_covered_tasks", "Tasks of which a whole chain of rows told the status when they were last verified.", gauge,
		func(s *state) float64 { return float64(s.health.Verification.Covered) }, false},
	{"tasktide_verification_broken_chains", "Tasks whose chain of rows the last verification has found broken.", gauge,
		func(s *state) float64 { return float64(s.health.Verification.Broken) }, false},
	{"tasktide_verification_defects", "Defects of every kind that the last verification has found.", gauge,
		func(s *state) float64 { return float64(s.health.Verification.Defects) }, false},

	{"tasktide_retention_timestamp_seconds", "When the last pass of retention ended; 0 before the first.", gauge,
		func(s *state) float64 { return seconds(s.health.Retention.LastPass) }, false},
	{"tasktide_retention_rows_total", "Rows of the audit that this server has removed because of their age.", counter,
		func(s *state) float64 { return float64(s.health.Retention.Rows) }, false},
	{"tasktide_retention_cell_seconds_total", "Seconds of history of which this server has removed the cells.", counter,
		func(s *state) float64 { return float64(s.health.Retention.Hours) * 3600 }, false},
	{"tasktide_retention_left_alone_workflows", "Workflows in which the last pass of retention found something wrong.", gauge,
		func(s *state) float64 { return float64(s.health.Retention.LeftAlone) }, false},
	{"tasktide_retention_held", "1 while retention removes nothing because its clock may be wrong or a person has to confirm.", gauge,
		func(s *state) float64 { return truth(s.health.Retention.Held != nil) }, false},

	{"tasktide_cache_hits_total", "Answers that were found in the cache.", counter,
		func(s *state) float64 { return float64(s.answers.Hits) }, false},
	{"tasktide_cache_misses_total", "Answers that were not found in the cache.", counter,
		func(s *state) float64 { return float64(s.answers.Misses) }, false},
	{"tasktide_cache_passed_total", "Times that a Redis was not asked because it had not answered before.", counter,
		func(s *state) float64 { return float64(s.answers.Passed) }, false},
	{"tasktide_cache_bytes", "Bytes of answers that are kept in this process.", gauge,
		func(s *state) float64 { return float64(s.answers.Bytes) }, false},

	{"tasktide_page_visits_total", "Loads of the page.", counter,
		func(s *state) float64 { return float64(s.pages.Visits) }, false},
	{"tasktide_page_filters_median", "Half of the visits had no more filters active at once; 0 before the first.", gauge,
		func(s *state) float64 { return orZero(s.pages.Filters) }, false},
}

var (
	buildInfo = prometheus.NewDesc(
		"tasktide_build_info", "1, with the version of the server and of Go.", []string{"version", "go_version"}, nil)
	render = prometheus.NewDesc(
		"tasktide_page_render_seconds", "How long charts took to be drawn once their numbers were there.", nil, nil)
	exports = prometheus.NewDesc("tasktide_page_exports_total", "Files made of charts.", []string{"kind"}, nil)
)

// pool is a metric of the connections that write, and of those that read.
type pool struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(s sql.DBStats) float64
}

func poolDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("tasktide_database_pool_"+name, help, []string{"pool"}, nil)
}

var pools = []pool{
	{poolDesc("max_connections", "Connections to the database that may be open."), gauge,
		func(s sql.DBStats) float64 { return float64(s.MaxOpenConnections) }},
	{poolDesc("in_use_connections", "Connections that are in use."), gauge,
		func(s sql.DBStats) float64 { return float64(s.InUse) }},
	{poolDesc("waits_total", "Transactions that had to wait for a connection."), counter,
		func(s sql.DBStats) float64 { return float64(s.WaitCount) }},
	{poolDesc("wait_seconds_total", "How long transactions have waited for a connection, together."), counter,
		func(s sql.DBStats) float64 { return s.WaitDuration.Seconds() }},
}

// collector reads a source at each scrape.
type collector struct {
	source Source
	descs  []*prometheus.Desc // of values
}

func newCollector(source Source) collector {
	descs := make([]*prometheus.Desc, len(values))
	for i, v := range values {
		descs[i] = prometheus.NewDesc(v.name, v.help, nil, nil)
	}
	return collector{source, descs}
}

// Describe implements [prometheus.Collector].
func (c collector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range c.descs {
		to <- desc
	}
	for _, p := range pools {
		to <- p.desc
	}
	to <- buildInfo
	to <- render
	to <- exports
}

// Collect implements [prometheus.Collector].
func (c collector) Collect(to chan<- prometheus.Metric) {
	s := c.state()
	for i, v := range values {
		if s.asked || !v.asks {
			to <- prometheus.MustNewConstMetric(c.descs[i], v.kind, v.of(s))
		}
	}
	write, read := c.source.Database.Pools()
	for _, p := range pools {
		to <- prometheus.MustNewConstMetric(p.desc, p.kind, p.of(write), "write")
		to <- prometheus.MustNewConstMetric(p.desc, p.kind, p.of(read), "read")
	}
	to <- prometheus.MustNewConstMetric(buildInfo, gauge, 1, c.source.Version, runtime.Version())
	drawn := s.pages.Render
	quantiles := map[float64]float64{}
	for share, millis := range map[float64]*float64{0.5: drawn.P50, 0.9: drawn.P90, 0.99: drawn.P99} {
		if millis != nil {
			quantiles[share] = *millis / 1000
		}
	}
	to <- prometheus.MustNewConstSummary(render, uint64(drawn.Count), float64(drawn.Total)/1000, quantiles) //nolint:gosec // a count
	for kind, of := range s.pages.Exports {
		to <- prometheus.MustNewConstMetric(exports, counter, float64(of.Count), string(kind))
	}
}

func (c collector) state() *state {
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	health, err := c.source.Health(ctx)
	s := &state{
		health: health, asked: err == nil,
		written: c.source.Database.Written(), contention: c.source.Database.Contention(), pages: c.source.Usage.Told(true),
	}
	if c.source.Answers != nil {
		s.answers = c.source.Answers()
	}
	return s
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// seconds returns an instant in seconds since the Unix epoch, and 0 for one that has not come.
func seconds(at *api.Instant) float64 {
	if at == nil {
		return 0
	}
	return float64(*at) / 1e6
}

func orZero(number *float64) float64 {
	if number == nil {
		return 0
	}
	return *number
}
