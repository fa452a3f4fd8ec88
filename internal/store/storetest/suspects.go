package storetest

import (
	"context"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

var suspectTests = map[string]func(t *testing.T, s store.Store){
	"AreActiveTasksOfRunsThatCannotMoveThem": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 6), newFixture(t, s, "b", 1)
		f.queue(begin, f.tasks...)
		other.queue(begin, other.tasks...)
		f.update(func(ctx context.Context, tx store.Tx) error {
			return tx.MoveTasks(ctx, store.TaskMove{IDs: f.tasks[3:4], To: jobmon.TaskQueued, At: begin, Attempts: store.AddAttempt})
		})
		for i, to := range []jobmon.TaskStatus{
			jobmon.TaskQueued, jobmon.TaskInstantiating, jobmon.TaskLaunched, jobmon.TaskRunning, jobmon.TaskDone,
		} { // the last one stays REGISTERING
			f.move(begin+int64(i), to, f.tasks[i])
		}
		suspects := func(at int64) (ids []int64) {
			f.view(func(ctx context.Context, view store.Snapshot) error {
				found, err := gather(view.Suspects(ctx, f.workflow, at))
				for _, suspect := range found {
					ids = append(ids, suspect.TaskID)
				}
				return err
			})
			return ids
		}
		run := func(status jobmon.RunStatus) (saved store.Run) {
			f.update(func(ctx context.Context, tx store.Tx) (err error) {
				if saved, err = tx.LockRun(ctx, f.run); err != nil {
					return err
				}
				saved.Status, saved.StatusAt, saved.HeartbeatAt = status, begin+50, begin+100
				_, err = tx.SaveRun(ctx, saved)
				return err
			})
			return saved
		}
		run(jobmon.RunRunning)
		equal(t, "while the run is heard of", suspects(begin+100), nil)
		equal(t, "when it is lost", suspects(begin+101), f.tasks[:4])
		for _, status := range jobmon.RunStatuses() {
			want := f.tasks[:4]
			if saved := run(status); !saved.Status.Ended() {
				want = nil
			}
			equal(t, "in "+status.Name(), suspects(begin), want)
		}
		ended := run(jobmon.RunError)
		f.view(func(ctx context.Context, view store.Snapshot) error {
			found, err := gather(view.Suspects(ctx, f.workflow, begin))
			tasks := f.stored(store.TaskFilter{IDs: f.tasks[3:4]})
			want := store.Suspect{
				TaskID: f.tasks[3], TaskName: tasks[0].Name, TaskTemplateName: "template a",
				Status: jobmon.TaskRunning, StatusAt: begin + 3, NumAttempts: 1, Run: ended,
			}
			if len(found) != 4 || found[3] != want {
				t.Errorf("got %+v, want the last to be %+v", found, want)
			}
			return err
		})
	},

	"OfTheLatestInstance": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		f.queue(begin, f.tasks...)
		f.move(begin, jobmon.TaskRunning, f.tasks...)
		f.update(func(ctx context.Context, tx store.Tx) error {
			run, err := tx.LockRun(ctx, f.run)
			if err != nil {
				return err
			}
			run.Status = jobmon.RunTerminated
			if _, err = tx.SaveRun(ctx, run); err != nil {
				return err
			}
			run.ID, run.Status, run.HeartbeatAt = 0, jobmon.RunRunning, begin+100
			f.run, err = tx.SaveRun(ctx, run)
			return err
		})
		f.queue(begin, f.tasks[0])
		f.view(func(ctx context.Context, view store.Snapshot) error {
			found, err := gather(view.Suspects(ctx, f.workflow, begin))
			if len(found) != 1 || found[0].TaskID != f.tasks[1] {
				t.Errorf("got %+v", found)
			}
			return err
		})
	},
}
