package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"tasktide/internal/concurrency"
)

// prdLimit is how long the PRD's statement may take.
const prdLimit = 5 * time.Minute

// prdIndexes are the PRD's own, as far as the store's table has none like them.
const prdIndexes = `CREATE INDEX prd_status_time_workflow ON task_status_audit (new_status, changed_at, task_id)`

// prdQuery is the statement that the PRD gives for its endpoint, with the end of the window in place of now():
// the rows end there. Task templates are found as JobMon's tables have them, through the node, which the
// PRD's text leaves out.
const prdQuery = `
WITH time_grid AS (
  SELECT generate_series($1::timestamptz - $2::interval, $1::timestamptz, INTERVAL '1 minute') AS ts
), task_transitions AS (
  SELECT
    tsa.task_id,
    tsa.new_status,
    tsa.changed_at,
    tt.name AS task_template_name,
    LEAD(tsa.changed_at, 1, $1::timestamptz) OVER (
      PARTITION BY tsa.task_id ORDER BY tsa.changed_at
    ) AS status_end_time
  FROM task_status_audit tsa
  JOIN task t ON tsa.task_id = t.id
  JOIN node n ON t.node_id = n.id
  JOIN task_template_version ttv ON n.task_template_version_id = ttv.id
  JOIN task_template tt ON ttv.task_template_id = tt.id
  WHERE t.workflow_id = $3
    AND tsa.changed_at >= ($1::timestamptz - $2::interval) - INTERVAL '1 hour'
), running_periods AS (
  SELECT
    task_id,
    task_template_name,
    changed_at AS start_time,
    status_end_time AS end_time
  FROM task_transitions
  WHERE new_status = 'R'
), concurrent_counts AS (
  SELECT
    tg.ts AS timestamp,
    rp.task_template_name,
    COUNT(rp.task_id) AS concurrent_count
  FROM time_grid tg
  LEFT JOIN running_periods rp ON (
    rp.start_time <= tg.ts AND
    rp.end_time > tg.ts
  )
  WHERE rp.task_template_name IS NOT NULL
  GROUP BY tg.ts, rp.task_template_name
  ORDER BY tg.ts, rp.task_template_name
)
SELECT
  timestamp,
  task_template_name,
  concurrent_count
FROM concurrent_counts
WHERE concurrent_count > 0`

// prd is a transaction in which the PRD's statement has the PRD's indexes, and which leaves nothing behind.
type prd struct {
	db *sql.DB
	tx *sql.Tx
}

func openPRD(ctx context.Context, b *bed) (p *prd, err error) {
	p = &prd{}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	// With PostgreSQL's own settings, and not with those that the store gives its connections.
	if p.db, err = sql.Open("pgx", b.url); err != nil {
		return p, err
	}
	if p.tx, err = p.db.BeginTx(ctx, nil); err != nil {
		return p, err
	}
	for _, statement := range []string{
		fmt.Sprintf("SET LOCAL statement_timeout = %d", prdLimit.Milliseconds()),
		prdIndexes,
		"ANALYZE task_status_audit",
	} {
		if _, err := p.tx.ExecContext(ctx, statement); err != nil {
			return p, fmt.Errorf("%s: %w", statement, err)
		}
	}
	return p, nil
}

func (p *prd) close() error {
	var failures []error
	if p.tx != nil {
		failures = append(failures, p.tx.Rollback())
	}
	if p.db != nil {
		failures = append(failures, p.db.Close())
	}
	return errors.Join(failures...)
}

func (p *prd) query(ctx context.Context, workflow int64, window concurrency.Window) (*sql.Rows, error) {
	return p.tx.QueryContext(ctx, prdQuery,
		time.UnixMicro(window.End()).UTC(), fmt.Sprintf("%d microseconds", window.End()-window.Start), workflow)
}

// run reads the whole answer.
func (p *prd) run(ctx context.Context, workflow int64, window concurrency.Window) error {
	rows, err := p.query(ctx, workflow, window)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}

// counts returns how many counts of the PRD's statement are below the "start" of the answer, and how many there
// are. None may be above it. The statement has no count where nothing runs, which is taken for 0, and one instant more, the end.
func (p *prd) counts(ctx context.Context, workflow int64, answer table) (wrong, all int, err error) {
	rows, err := p.query(ctx, workflow, answer.window)
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	place := map[string]int{}
	said := make([][]int64, len(answer.templates))
	for i, name := range answer.templates {
		place[name] = i
		said[i] = make([]int64, answer.window.Count)
	}
	for rows.Next() {
		var at time.Time
		var template string
		var count int64
		if err := rows.Scan(&at, &template, &count); err != nil {
			return 0, 0, err
		}
		if bucket := int((at.UnixMicro() - answer.window.Start) / answer.window.Bucket); bucket < answer.window.Count {
			said[place[template]][bucket] = count
		}
	}
	for i, series := range answer.series {
		for b, start := range series.Start {
			all++
			if said[i][b] > start {
				return 0, 0, fmt.Errorf("%s: the PRD's SQL counts %d, and we %d", answer.templates[i], said[i][b], start)
			}
			if said[i][b] < start {
				wrong++
			}
		}
	}
	return wrong, all, rows.Err()
}
