package testdb

import (
	"context"
	"io/fs"
	"slices"
	"strconv"
	"testing"

	"tasktide/internal/store"
)

// retentionClock ends the name of the migration that brings what retention holds its clock against.
const retentionClock = "_retention_clock.sql"

// testRetentionClock tests what that is in a database with rows, and where rows were removed already. It is the row that
// was stored last, whatever instants rows have.
func (k Kind) testRetentionClock(t *testing.T, files fs.FS, names []string) {
	t.Helper()
	version := versionOf(t, names, retentionClock)
	for _, removed := range []bool{false, true} {
		url := k.empty(t)
		k.migrateTo(t, url, 0, int64(len(names)))
		statements := slices.Concat([]string{"DROP TABLE retention_clock"}, k.oldRows())
		want := store.RetentionClock{At: sharp}
		statements = append(statements, "UPDATE task_status_audit SET stored_at = "+k.instant(lastInstant), `
			UPDATE task_status_audit SET stored_at = `+k.instant(sharp)+`
			WHERE id = (SELECT id FROM (SELECT MAX(id) AS id FROM task_status_audit) newest)`)
		for id, at := range map[int64]int64{1: 0, 2: sharp} {
			if !removed {
				at = 0
			}
			statements = append(statements, "DELETE FROM workflow_horizon WHERE workflow_id = "+strconv.FormatInt(id, 10),
				"INSERT INTO workflow_horizon (workflow_id, rows_from, data_from, generation, kept) VALUES ("+
					strconv.FormatInt(id, 10)+", "+k.instant(at)+", "+k.instant(max(at-hour, 0))+", 0, 0)")
		}
		if removed {
			want.RowsBefore, want.DataBefore = sharp, sharp-hour
		}
		k.execute(t, url, slices.Concat(statements, statementsOf(t, files, names[version]))...)
		var got store.RetentionClock
		err := k.open(t, url).View(t.Context(), func(ctx context.Context, snapshot store.Snapshot) (err error) {
			got, err = snapshot.RetentionClock(ctx)
			return err
		})
		if err != nil || got != want {
			t.Errorf("rows removed %t: %+v, %v; want %+v", removed, got, err, want)
		}
	}
}
