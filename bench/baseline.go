package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/store/testdb"
)

// This file is the transaction of sqlstore's Update, LockTasks, Now and MoveTasks, statement for
// statement, without the audit. Whatever they do, it does too, on the store's own connections: it fills
// the same parameters into the same texts each time and reads the same columns into the same values. A
// change there wants the same change here; -check finds it missing.

// patience is how long a transaction waits for a connection, as in the store.
const patience = 5 * time.Second

// fewTasks is up to how many tasks the audit rows are written from the tasks that were locked, as in the
// store.
const fewTasks = 100

// syntax is in what the statements differ by database.
type syntax struct {
	clock     string
	parameter func(n int) string
	lock      string
	oneOf     func(column string, ids []int64) (clause string, parameters []any)
	greatest  string
	instant   func(microseconds int64) any
}

var syntaxes = map[testdb.Kind]syntax{
	testdb.SQLite: {
		clock:     "SELECT tasktide_now()",
		parameter: func(int) string { return "?" },
		oneOf: func(column string, ids []int64) (string, []any) {
			list, err := json.Marshal(ids)
			if err != nil {
				panic(err) // integers always encode
			}
			return column + " IN (SELECT value FROM json_each(?))", []any{string(list)}
		},
		greatest: "MAX",
		instant:  func(microseconds int64) any { return microseconds },
	},
	testdb.MariaDB: {
		clock:     "SELECT UTC_TIMESTAMP(6)",
		parameter: func(int) string { return "?" },
		lock:      " FOR UPDATE",
		oneOf: func(column string, ids []int64) (string, []any) {
			parameters := make([]any, len(ids))
			for i, id := range ids {
				parameters[i] = id
			}
			return column + " IN (" + strings.Repeat("?,", len(ids)-1) + "?)", parameters
		},
		greatest: "GREATEST",
		instant: func(microseconds int64) any {
			return time.UnixMicro(microseconds).UTC().Format("2006-01-02 15:04:05.000000")
		},
	},
	testdb.PostgreSQL: {
		clock:     "SELECT clock_timestamp()",
		parameter: func(n int) string { return "$" + strconv.Itoa(n) },
		lock:      " FOR NO KEY UPDATE",
		oneOf: func(column string, ids []int64) (string, []any) {
			return column + " = ANY (CAST(? AS bigint[]))", []any{ids}
		},
		greatest: "GREATEST",
		instant:  func(microseconds int64) any { return time.UnixMicro(microseconds).UTC() },
	},
}

// baseline moves tasks without the audit, or with it for a check.
type baseline struct {
	pool   *sql.DB
	syntax syntax
	audit  bool
}

func (b baseline) move(ctx context.Context, ids []int64, to jobmon.TaskStatus) error {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := b.pool.Conn(waiting)
	if err != nil {
		return err
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // without effect after a commit, and otherwise the first error tells more
	locked, err := b.lockTasks(ctx, tx, ids)
	if err != nil {
		return err
	}
	if len(locked) != len(ids) {
		return fmt.Errorf("%d tasks of %d are there", len(locked), len(ids))
	}
	at, err := b.now(ctx, tx)
	if err != nil {
		return err
	}
	if b.audit {
		if err := b.appendAudit(ctx, tx, locked, to, at); err != nil {
			return err
		}
	}
	if err := b.moveTasks(ctx, tx, ids, to, at); err != nil {
		return err
	}
	return tx.Commit()
}

func (b baseline) lockTasks(ctx context.Context, tx *sql.Tx, ids []int64) (locked []store.Task, err error) {
	listed, args := b.syntax.among("t.id", ids)
	rows, err := tx.QueryContext(ctx, b.syntax.statement(`
		SELECT t.id, t.workflow_id, t.node_id, t.array_id, t.task_template_id, t.task_resources_id, t.task_args_hash,
			t.name, t.command, t.resource_scales, t.fallback_queues, t.num_attempts, t.max_attempts, t.status, t.status_date
		FROM task t WHERE `+listed+`
			AND t.workflow_id NOT IN (SELECT workflow_id FROM workflow_import WHERE published_at IS NULL)
		ORDER BY t.id`+b.syntax.lock), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var t store.Task
	into := []any{
		&t.ID, &t.WorkflowID, &t.NodeID, &t.ArrayID, &t.TaskTemplateID, nullable{&t.TaskResourcesID}, &t.ArgsHash,
		&t.Name, &t.Command, &t.ResourceScales, &t.FallbackQueues, &t.NumAttempts, &t.MaxAttempts, letter{&t.Status}, instant{&t.StatusAt},
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		locked = append(locked, t)
	}
	return locked, rows.Err()
}

func (b baseline) now(ctx context.Context, tx *sql.Tx) (at int64, err error) {
	rows, err := tx.QueryContext(ctx, b.syntax.clock)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(instant{&at}); err != nil {
			return 0, err
		}
	}
	return at, rows.Err()
}

func (b baseline) appendAudit(ctx context.Context, tx *sql.Tx, tasks []store.Task, to jobmon.TaskStatus, at int64) error {
	const insert = `
		INSERT INTO task_status_audit (
			task_id, workflow_id, task_template_id, previous_status, new_status, changed_at, previous_at, stored_at)`
	now := b.syntax.instant(at)
	if len(tasks) <= fewTasks {
		var args []any
		for _, t := range tasks {
			args = append(args, t.ID, t.WorkflowID, t.TaskTemplateID, t.Status.String(), to.String(),
				b.syntax.instant(max(at, t.StatusAt)), b.syntax.instant(t.StatusAt), now)
		}
		const row = "(?, ?, ?, ?, ?, ?, ?, ?)"
		_, err := tx.ExecContext(ctx, b.syntax.statement(insert+" VALUES "+strings.Repeat(row+", ", len(tasks)-1)+row), args...)
		return err
	}
	ids := make([]int64, len(tasks))
	for i, t := range tasks {
		ids[i] = t.ID
	}
	listed, parameters := b.syntax.among("t.id", ids)
	args := append([]any{to.String(), now, now, to.String()}, parameters...)
	_, err := tx.ExecContext(ctx, b.syntax.statement(insert+`
		SELECT t.id, t.workflow_id, t.task_template_id, t.status, ?, `+b.syntax.greatest+`(?, t.status_date), t.status_date, ?
		FROM task t WHERE t.status <> ? AND `+listed+" ORDER BY t.id"), args...)
	return err
}

func (b baseline) moveTasks(ctx context.Context, tx *sql.Tx, ids []int64, to jobmon.TaskStatus, at int64) error {
	listed, parameters := b.syntax.among("id", ids)
	args := append([]any{to.String(), b.syntax.instant(at), to.String()}, parameters...)
	_, err := tx.ExecContext(ctx, b.syntax.statement(
		"UPDATE task SET status_date = CASE WHEN status <> ? THEN "+b.syntax.greatest+
			"(?, status_date) ELSE status_date END, status = ? WHERE "+listed), args...)
	return err
}

// among demands that a column is one of the ids.
func (s syntax) among(column string, ids []int64) (clause string, parameters []any) {
	if len(ids) == 1 {
		return column + " = ?", []any{ids[0]}
	}
	return s.oneOf(column, ids)
}

// statement names the parameters of a statement as the database wants them.
func (s syntax) statement(query string) string {
	var text strings.Builder
	text.Grow(2 * len(query))
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		text.WriteString(before)
		if !found {
			return text.String()
		}
		text.WriteString(s.parameter(n))
		query = after
	}
}

// instant scans an instant into microseconds since the Unix epoch, UTC.
type instant struct{ to *int64 }

// Scan implements [sql.Scanner].
func (i instant) Scan(value any) error {
	switch value := value.(type) {
	case int64:
		*i.to = value
	case time.Time:
		*i.to = value.UnixMicro()
	default:
		return fmt.Errorf("%T is not an instant", value)
	}
	return nil
}

// letter scans a status.
type letter struct{ to *jobmon.TaskStatus }

// Scan implements [sql.Scanner].
func (l letter) Scan(value any) error {
	switch value := value.(type) {
	case string:
		*l.to = jobmon.TaskStatus(value[0])
	case []byte:
		*l.to = jobmon.TaskStatus(value[0])
	default:
		return fmt.Errorf("%v is not a status", value)
	}
	return nil
}

// nullable scans an id of which NULL is 0.
type nullable struct{ to *int64 }

// Scan implements [sql.Scanner].
func (n nullable) Scan(value any) error {
	var id sql.Null[int64]
	err := id.Scan(value)
	*n.to = id.V
	return err
}
