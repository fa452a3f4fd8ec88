package upkeep_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
	"tasktide/internal/store/testdb"
	"tasktide/internal/upkeep"
)

// stormOrders names the environment variable that makes the test binary a storm's child process, which
// keeps a database up until it is killed, and says how.
const stormOrders = "TASKTIDE_TEST_STORM_ORDERS"

// orders is what a child process is told.
type orders struct {
	Kind testdb.Kind
	URL  string
	// The first pass of retention keeps rows for Longest, each further one for half an hour less, but all of
	// them for Shortest; and cells for so much longer as CellsLonger says.
	Longest, Shortest, CellsLonger time.Duration
}

// Who is at work in the child.
const (
	firstRollUp  = "first-rollup"
	secondRollUp = "second-rollup"
	retention    = "retention"
	verification = "verification"
)

var keepers = []string{firstRollUp, secondRollUp, retention, verification}

// What each of them says on standard output, after its name. Each line is written at once, so it is read
// whole, whenever the child is killed.
const (
	begins  = "begins" // a pass
	ends    = "ends"
	changes = "changes" // a transaction
	commits = "commits"
	changed = "changed"
	inVain  = "in-vain" // it was kept waiting
	wrong   = "wrong:"
)

func say(who, what string) { _, _ = fmt.Fprintln(os.Stdout, who, what) }

// stormAhead is how far ahead of the database's clock everyone in a storm lives: what they import is
// younger than its import, which retention would otherwise wait for.
const stormAhead = 10 * day

// hasty is a store whose clock is ahead.
type hasty struct {
	store.Store

	ahead int64
}

func (h hasty) View(ctx context.Context, read func(ctx context.Context, snapshot store.Snapshot) error) error {
	return h.Store.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		now, err := snapshot.Now(ctx)
		if err != nil {
			return err
		}
		return read(ctx, clockedSnapshot{snapshot, now + h.ahead})
	})
}

// heard is a store that says when somebody changes it.
type heard struct {
	store.Store

	who string
}

func (h heard) Maintain(ctx context.Context, change func(ctx context.Context, tx store.UpkeepTx) error) error {
	defer say(h.who, changed)
	return h.Store.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error {
		say(h.who, changes)
		err := change(ctx, tx)
		say(h.who, commits)
		return err
	})
}

// complain says what has kept somebody from something. That it has to wait for others is nothing wrong.
func complain(who string, err error) {
	switch code := jobmon.ErrorCode(err); {
	case code == jobmon.CodeConflict && who == retention: // something is not summed up yet
	case code == jobmon.CodeContention:
		say(who, inVain)
	default:
		say(who, fmt.Sprintf("%s %s: %v", wrong, code, err))
	}
}

// complaint is a log handler that complains.
type complaint struct{ who string }

func (complaint) Enabled(context.Context, slog.Level) bool { return true }
func (c complaint) WithAttrs([]slog.Attr) slog.Handler     { return c }
func (c complaint) WithGroup(string) slog.Handler          { return c }

func (c complaint) Handle(_ context.Context, record slog.Record) error {
	err := errors.New(record.Message)
	record.Attrs(func(a slog.Attr) bool {
		if why, is := a.Value.Any().(error); is {
			err = why
		}
		return true
	})
	complain(c.who, err)
	return nil
}

// TestStormChild is the child process of a storm, and nothing otherwise.
func TestStormChild(t *testing.T) {
	text := os.Getenv(stormOrders)
	if text == "" {
		return
	}
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	opened, err := o.Kind.OpenURL(context.Background(), o.URL)
	if err != nil {
		t.Fatal(err)
	}
	// Each tick lets one go on: without a rest, those who find nothing to do would leave no time to others.
	turns := time.NewTicker(5 * time.Millisecond)
	for who, pass := range o.passes(hasty{opened, stormAhead}, turns.C) {
		go func() {
			for range turns.C {
				say(who, begins)
				if err := pass(context.Background()); err != nil {
					complain(who, err)
				}
				say(who, ends)
			}
		}()
	}
	// Nobody writes there: it ends when the one is gone who would have killed this process.
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// passes returns what those do again and again who keep a database up.
func (o orders) passes(db store.Store, turns <-chan time.Time) map[string]func(context.Context) error {
	of := func(who string) (store.Store, *slog.Logger) { return heard{db, who}, slog.New(complaint{who}) }
	passes := map[string]func(context.Context) error{}
	for _, who := range []string{firstRollUp, secondRollUp} {
		passes[who] = upkeep.NewRollUp(of(who)).Pass
	}
	age := o.Longest
	passes[retention] = func(ctx context.Context) error {
		db, log := of(retention)
		retention, err := newRetention(db, log, age, age+o.CellsLonger) //nolint:contextcheck // a clock takes no context
		if err != nil {
			return err
		}
		age = max(age-30*time.Minute, o.Shortest)
		return retention.Pass(ctx)
	}
	verifier := upkeep.NewVerifier(of(verification))
	passes[verification] = func(ctx context.Context) error {
		report, err := verifier.All(ctx, func(time.Duration) error {
			<-turns
			return nil
		})
		for _, defect := range report.Defects {
			say(verification, wrong+" "+defect.String())
		}
		return err
	}
	return passes
}

// trigger says when a child is killed: so many lines after somebody has said something for the count-th
// time.
type trigger struct {
	who, what   string
	count, more int
}

// pull takes a line of the child, and reports whether it is killed now.
func (t *trigger) pull(who, what string) bool {
	if t.count > 0 {
		if who == t.who && what == t.what {
			t.count--
		}
		return t.count == 0 && t.more == 0
	}
	t.more--
	return t.more == 0
}

// stormTrigger kills in the midst of what each of them does in turn.
func stormTrigger(random *rand.Rand, life int) trigger {
	who := keepers[life%len(keepers)]
	if who == verification {
		return trigger{who, begins, 2, 1 + random.IntN(100)}
	}
	return trigger{who, []string{changes, commits}[random.IntN(2)], 1 + random.IntN(20), random.IntN(2)}
}

// live starts a child and kills it once it is ripe and the trigger has been pulled after that.
func (o orders) live(ctx context.Context, when trigger, ripe func() bool, count *tally) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestStormChild$")
	child.Env = append(os.Environ(), stormOrders+"="+string(text))
	var stderr bytes.Buffer
	child.Stderr = &stderr
	if _, err := child.StdinPipe(); err != nil { // open until the child is gone
		return err
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	passing, changing := map[string]bool{}, map[string]bool{}
	var failed error
	killed := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		who, what, _ := strings.Cut(lines.Text(), " ")
		switch what {
		case begins, ends:
			passing[who] = what == begins
		case changes, commits, changed:
			changing[who] = what != changed
		case inVain:
		default:
			failed = fmt.Errorf("the child says %s", lines.Text())
		}
		for counted, by := range map[string]map[string]int{ends: count.passes, changed: count.changes, inVain: count.inVain} {
			if what == counted {
				by[who]++
			}
		}
		if !killed && (failed != nil || ripe() && when.pull(who, what)) {
			_ = child.Process.Kill()
			killed = true
		}
	}
	ended := child.Wait()
	switch {
	case failed != nil:
		return failed
	case !killed:
		return fmt.Errorf("the child ended before it was killed: %w\n%s", ended, stderr.String())
	case stderr.Len() > 0:
		return fmt.Errorf("the child printed\n%s", stderr.String())
	}
	count.kills++
	for who := range passing {
		if passing[who] {
			count.inPass[who]++
		}
		if changing[who] {
			count.inChange[who]++
		}
	}
	return nil
}

// stormWriter moves tasks that nobody else does, and remembers what it was told is stored.
type stormWriter struct {
	*storm

	random       *rand.Rand
	tasks        []int64
	stored       rows
	moves        atomic.Int64 // rows of them
	transactions int64
	twins        int64 // that it added
	undone       int64 // transactions, as those below
	tooLate      int64
	inVain       int64
}

var errUndone = errors.New("undone on purpose")

// act moves some tasks in one transaction.
func (w *stormWriter) act(ctx context.Context) error {
	if w.random.IntN(20) == 0 {
		return w.comeTooLate(ctx)
	}
	undo, adds := w.random.IntN(10) == 0, w.random.IntN(10) == 0
	ids := []int64{w.tasks[w.random.IntN(len(w.tasks))], w.tasks[w.random.IntN(len(w.tasks))]}
	var written rows
	err := w.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		written = nil
		tasks, err := tx.LockTasks(ctx, store.TaskFilter{IDs: ids})
		if err != nil {
			return err
		}
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		now += w.db.ahead
		if adds {
			if written, err = w.add(ctx, tx, now); err != nil {
				return err
			}
		}
		for range 1 + w.random.IntN(2) {
			statuses := jobmon.TaskStatuses()
			move := store.TaskMove{IDs: ids, To: statuses[w.random.IntN(len(statuses))], At: w.instant(tasks[0].StatusAt, now)}
			if err := tx.MoveTasks(ctx, move); err != nil {
				return err
			}
			for i := range tasks {
				written = append(written, moved(&tasks[i], move)...)
			}
		}
		if undo {
			return errUndone
		}
		return nil
	})
	switch {
	case undo && errors.Is(err, errUndone):
		w.undone++
		return nil
	case jobmon.ErrorCode(err) == jobmon.CodeContention:
		w.inVain++ // nothing is stored: at the end this is known
		return nil
	case err != nil:
		return fmt.Errorf("a writer: %w", err)
	}
	w.stored = append(w.stored, written...)
	for _, row := range written {
		if row.From == 0 {
			w.tasks = append(w.tasks, row.TaskID)
			w.twins++
		}
	}
	w.moves.Add(int64(len(written)))
	if w.transactions++; w.transactions%stormWriters == 0 {
		select {
		case w.turns <- struct{}{}:
		default: // readers have enough to do
		}
	}
	return nil
}

// comeTooLate tries to move a task at an instant of which the rows are removed.
func (w *stormWriter) comeTooLate(ctx context.Context) error {
	var horizon store.Horizon
	err := w.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
		horizon, err = snapshot.Horizon(ctx, w.id)
		return err
	})
	if err != nil || horizon.RowsFrom == 0 {
		return err
	}
	var ids []int64
	for range 10 {
		ids = append(ids, w.tasks[w.random.IntN(len(w.tasks))])
	}
	at, found := horizon.RowsFrom-1-w.random.Int64N(hour), false
	err = w.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		tasks, err := tx.LockTasks(ctx, store.TaskFilter{IDs: ids})
		if err != nil {
			return err
		}
		i := slices.IndexFunc(tasks, func(task store.Task) bool { return task.StatusAt < horizon.RowsFrom })
		if found = i >= 0; !found {
			return nil
		}
		to := jobmon.TaskQueued
		if tasks[i].Status == to {
			to = jobmon.TaskRunning
		}
		return tx.MoveTasks(ctx, store.TaskMove{IDs: []int64{tasks[i].ID}, To: to, At: at})
	})
	switch {
	case found && err == nil:
		return fmt.Errorf("a task was moved at %d, and rows before %d are removed", at, horizon.RowsFrom)
	case found && jobmon.ErrorCode(err) == jobmon.CodeUnavailable:
		w.tooLate++
		return nil
	case jobmon.ErrorCode(err) == jobmon.CodeContention:
		w.inVain++
		return nil
	}
	return err
}

// instant returns when a task moves that has been in its status since an instant: now, or a while ago.
func (w *stormWriter) instant(since, now int64) int64 {
	since = max(since, now-stormLate)
	if since >= now || w.random.IntN(3) == 0 {
		return now
	}
	// Not far after it, so that the task can be moved in the past another time.
	return since + w.random.Int64N((now-since)/4+1)
}

// moved returns the row of a move, or none, and makes the task what it is then.
func moved(task *store.Task, move store.TaskMove) rows {
	if task.Status == move.To {
		return nil
	}
	row := jobmon.Transition{
		TaskID: task.ID, WorkflowID: task.WorkflowID, TaskTemplateID: task.TaskTemplateID, From: task.Status, To: move.To,
		At: max(move.At, task.StatusAt), PreviousAt: task.StatusAt,
	}
	task.Status, task.StatusAt = row.To, row.At
	return rows{row}
}

// makeRoomForTwins adds an array, still empty, of a template with a name that another one has.
func (s *storm) makeRoomForTwins(ctx context.Context) error {
	tool, err := s.db.RegisterTool(ctx, "twin")
	if err != nil {
		return err
	}
	version, err := s.db.AddToolVersion(ctx, tool.ID)
	if err != nil {
		return err
	}
	template, err := s.db.RegisterTaskTemplate(ctx, version.ID, stormTemplates[1])
	if err != nil {
		return err
	}
	of, err := s.db.RegisterTaskTemplateVersion(ctx, store.TaskTemplateVersion{
		TaskTemplateID: template, CommandTemplate: "true", ArgMappingHash: "1",
	})
	if err != nil {
		return err
	}
	nodes := make([]store.Node, stormTwins)
	for i := range nodes {
		nodes[i] = store.Node{TaskTemplateVersionID: of.ID, ArgsHash: fmt.Sprint(i)}
	}
	if s.nodes, err = s.db.RegisterNodes(ctx, nodes); err != nil {
		return err
	}
	s.names[template], s.twin = stormTemplates[1], template
	s.array, err = ledger.New(s.db, quiet).BindArray(ctx, store.Array{
		TaskTemplateVersionID: of.ID, WorkflowID: s.id, Name: "twins", MaxConcurrentlyRunning: jobmon.NoLimit,
	})
	return err
}

// add adds a twin, as long as there is room, and returns its row.
func (w *stormWriter) add(ctx context.Context, tx store.Tx, at int64) (rows, error) {
	used := w.added.Add(1)
	if used > int64(len(w.nodes)) {
		return nil, nil
	}
	ids, err := tx.InsertTasks(ctx, []store.Task{{
		WorkflowID: w.id, NodeID: w.nodes[used-1], ArrayID: w.array, ArgsHash: "1", Name: "twin", Command: "true",
		ResourceScales: "{}", FallbackQueues: "[]", MaxAttempts: 1,
	}}, at)
	if err != nil {
		return nil, err
	}
	return rows{{TaskID: ids[0], WorkflowID: w.id, TaskTemplateID: w.twin, To: jobmon.TaskRegistering, At: at}}, nil
}
