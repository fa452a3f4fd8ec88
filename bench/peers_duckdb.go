package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// duckThreads is how many threads DuckDB may use, as many as the machine of the first readings had.
const duckThreads = 2

// duck is DuckDB with the rows of the audit in memory.
type duck struct {
	connector *duckdb.Connector
	db        *sql.DB
	version   string
}

func openDuck(ctx context.Context) (d *duck, err error) {
	connector, err := duckdb.NewConnector(fmt.Sprintf(":memory:?threads=%d", duckThreads), nil)
	if err != nil {
		return nil, err
	}
	d = &duck{connector: connector, db: sql.OpenDB(connector)}
	if err := d.db.QueryRowContext(ctx, "SELECT version()").Scan(&d.version); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *duck) close() error { return errors.Join(d.db.Close(), d.connector.Close()) }

// load copies a workflow's rows out of a database into a table, in the order of time, which is the best one
// for DuckDB: it skips what lies outside a window. A template is its place among the names, and a status its
// letter, each in one byte: nothing has to be decoded.
func (d *duck) load(ctx context.Context, b *bed, p *population) (err error) {
	templates, err := b.line.Templates(ctx, p.workflow[b.kind])
	if err != nil {
		return err
	}
	place := make(map[string]uint8, len(templates))
	for i, name := range templates {
		place[name] = uint8(i)
	}
	if _, err := d.db.ExecContext(ctx, fmt.Sprintf(`
		CREATE TABLE audit_%[1]s (changed BIGINT, template UTINYINT, was UTINYINT, became UTINYINT);
		CREATE TABLE template_%[1]s AS SELECT i::UTINYINT AS template FROM range(%[2]d) r(i)`, p.name, len(templates))); err != nil {
		return err
	}
	conn, err := d.connector.Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return b.store.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		known, err := snapshot.TemplateNames(ctx, p.workflow[b.kind])
		if err != nil {
			return err
		}
		byID := make(map[int64]uint8, len(known))
		for _, template := range known {
			byID[template.ID] = place[template.Name]
		}
		return appendRows(ctx, conn, snapshot, p, p.workflow[b.kind], byID)
	})
}

func appendRows(
	ctx context.Context, conn driver.Conn, snapshot store.Snapshot, p *population, workflow int64, places map[int64]uint8,
) (err error) {
	appender, err := duckdb.NewAppenderFromConn(conn, "", "audit_"+p.name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, appender.Close()) }()
	rows := int64(0)
	for row, err := range snapshot.Changes(ctx, store.TransitionFilter{WorkflowID: workflow, Before: store.MaxInstant}) {
		if err != nil {
			return err
		}
		if err := appender.AppendRow(row.At, places[row.TaskTemplateID], uint8(row.From), uint8(row.To)); err != nil {
			return err
		}
		rows++
	}
	if rows != p.largest {
		return fmt.Errorf("the audit has %d rows of %s, and %d were stored", rows, p.name, p.largest)
	}
	return nil
}

// duckLevels gives start, integral and number entered of each template and bucket, zeros too. The rows of
// RUNNING are grouped to a change of the level for each template and bucket that has any; these are summed
// up over the dense grid of buckets.
//
// Of what was tried, this was the quickest on M and on L by some tens of percent. The others: sums of
// integers, which DuckDB makes of 128 bits (up to three times as slow); zero rows added before the grouping
// instead of a join after it; one integer as the key of template and bucket. DOUBLE is exact here: the
// integrals stay below 2^53.
const duckLevels = `
	WITH event AS (
		SELECT template, CASE WHEN changed < $from THEN -1 ELSE (changed - $from) // $width END AS bucket,
			CASE WHEN became = $running THEN 1 ELSE -1 END AS sign, (changed - $from) % $width AS within
		FROM $audit WHERE (became = $running OR was = $running) AND changed < $before
	), cell AS (
		SELECT template, bucket, sum(sign::DOUBLE) AS delta, sum((CASE WHEN within = 0 THEN sign ELSE 0 END)::DOUBLE) AS open,
			sum((sign * ($width - within))::DOUBLE) AS part, sum((sign > 0)::DOUBLE) AS entered
		FROM event GROUP BY ALL
	), grid AS (
		SELECT template, bucket FROM $template, range(-1, $count) r(bucket)
	), level AS (
		SELECT template, bucket, coalesce(open, 0) AS open, coalesce(part, 0) AS part, coalesce(entered, 0) AS entered,
			coalesce(sum(delta) OVER (
				PARTITION BY template ORDER BY bucket ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS carried
		FROM grid LEFT JOIN cell USING (template, bucket)
	)
	SELECT template::INTEGER AS template, bucket::BIGINT AS bucket, (carried + open)::BIGINT AS start,
		(carried * $width + part)::BIGINT AS area, entered::BIGINT AS entered
	FROM level WHERE bucket >= 0`

// duckPeaks gives the exact peak of each template and bucket, and of all templates together, as template
// 255, with its first instant.
//
// The level relative to the bucket's beginning is a running sum over one template and bucket, of which the
// rows at one instant share the last (so a window with RANGE frames nets them); a row of nothing at each
// bucket's beginning makes the grid dense. The highest level and its first instant are the greatest of one
// number. Of what was tried, this was the quickest on M and on L: netting by GROUP BY first was slower by a
// third, and running sums over the whole of a template, which is sorted as one piece by one thread, far
// slower on L.
const duckPeaks = `
	WITH one AS (
		SELECT template, CASE WHEN changed < $from THEN -1 ELSE (changed - $from) // $width END AS bucket,
			CASE WHEN changed < $from THEN 0 ELSE (changed - $from) % $width END AS within,
			CASE WHEN became = $running THEN 1.0::DOUBLE ELSE -1.0::DOUBLE END AS sign
		FROM $audit WHERE (became = $running OR was = $running) AND changed < $before
		UNION ALL
		SELECT template, bucket, 0, 0 FROM $template, range(0, $count) r(bucket)
	), event AS (
		FROM one UNION ALL SELECT 255, bucket, within, sign FROM one
	), level AS (
		SELECT template, bucket, within, (sum(sign) OVER (PARTITION BY template, bucket ORDER BY within))::BIGINT AS relative
		FROM event
	), highest AS (
		SELECT template, bucket, max(relative * $width + $width - 1 - within) AS code, arg_max(relative, within) AS delta
		FROM level GROUP BY ALL
	), peak AS (
		SELECT template, bucket, code, (code % $width + $width) % $width AS early,
			(sum(delta) OVER (PARTITION BY template ORDER BY bucket))::BIGINT - delta AS carried
		FROM highest
	)
	SELECT template::INTEGER AS template, bucket::BIGINT AS bucket, (carried + (code - early) // $width)::BIGINT AS peak,
		($from + bucket * $width + $width - 1 - early)::BIGINT AS peak_at
	FROM peak WHERE bucket >= 0`

// duckQuery fills a window into a query.
func duckQuery(query, name string, window concurrency.Window) string {
	number := func(n int64) string { return fmt.Sprintf("%d::BIGINT", n) }
	return strings.NewReplacer(
		"$from", number(window.Start), "$before", number(window.End()), "$width", number(window.Bucket),
		"$count", number(int64(window.Count)), "$running", fmt.Sprintf("%d::UTINYINT", jobmon.TaskRunning),
		"$audit", "audit_"+name, "$template", "template_"+name,
	).Replace(query)
}

// levels and peaks let DuckDB work a query out. It only adds its numbers up, so that it is not charged with
// carrying them over to this program.
func (d *duck) levels(ctx context.Context, name string, window concurrency.Window) error {
	return d.work(ctx, "SELECT count(*), sum(start), sum(area), sum(entered) FROM ("+duckQuery(duckLevels, name, window)+")")
}

func (d *duck) peaks(ctx context.Context, name string, window concurrency.Window) error {
	return d.work(ctx, "SELECT count(*), sum(peak), sum(peak_at) FROM ("+duckQuery(duckPeaks, name, window)+")")
}

func (d *duck) work(ctx context.Context, query string) error { return drain(ctx, d.db, query) }

// table returns all numbers of a window.
func (d *duck) table(ctx context.Context, name string, templates []string, window concurrency.Window) (table, error) {
	const total = 255 // as in duckPeaks
	t := table{of: "DuckDB", window: window, templates: templates, series: make([]concurrency.Series, len(templates))}
	for i := range t.series {
		t.series[i] = newSeries(window.Count)
	}
	t.total = newSeries(window.Count)
	begun := time.Now()
	err := d.each(ctx, duckQuery(duckLevels, name, window), 3, func(template int, bucket int, numbers []int64) {
		for _, s := range []concurrency.Series{t.series[template], t.total} { // these add
			s.Start[bucket] += numbers[0]
			s.Area[bucket] += numbers[1]
			s.Entered[bucket] += numbers[2]
		}
	})
	if err != nil {
		return t, fmt.Errorf("after %s: %w", time.Since(begun), err)
	}
	err = d.each(ctx, duckQuery(duckPeaks, name, window), 2, func(template int, bucket int, numbers []int64) {
		s := t.total
		if template != total {
			s = t.series[template]
		}
		s.Peak[bucket], s.PeakAt[bucket] = numbers[0], numbers[1]
	})
	return t, err
}

func newSeries(count int) concurrency.Series {
	return concurrency.Series{
		Start: make([]int64, count), Peak: make([]int64, count), PeakAt: make([]int64, count),
		Entered: make([]int64, count), Area: make([]int64, count),
	}
}

// each reads the numbers of each template and bucket.
func (d *duck) each(ctx context.Context, query string, numbers int, take func(template, bucket int, numbers []int64)) error {
	rows, err := d.db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	var template, bucket int
	values := make([]int64, numbers)
	into := []any{&template, &bucket}
	for i := range values {
		into = append(into, &values[i])
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		take(template, bucket, values)
	}
	return rows.Err()
}
