package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/store/sqlstore"
	"tasktide/internal/store/testdb"
)

const (
	templates = 20
	// taskCount is divided among the templates.
	taskCount = 20_000
	// tasksAtOnce is how many tasks are added in one transaction.
	tasksAtOnce = 5_000
)

// pair is two databases of one kind that were prepared alike.
type pair struct {
	kind          testdb.Kind
	version       string
	with, without *side
	stop          func() error
}

// openPair prepares two databases in a directory. The first is moved by the store, the other by the
// program's own SQL, which writes the audit too when a check wants it so.
func openPair(ctx context.Context, kind testdb.Kind, directory string, check bool) (p *pair, err error) {
	p = &pair{kind: kind}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	var url addresses
	if url, p.stop, err = place(kind, directory); err != nil { //nolint:contextcheck // a server is started to its end, and stopped
		return p, err
	}
	if p.with, err = openSide(ctx, kind, url, "bench_with"); err != nil {
		return p, err
	}
	if p.without, err = openSide(ctx, kind, url, "bench_without"); err != nil {
		return p, err
	}
	p.with.mover, p.with.audited = product{p.with.store}, true
	p.without.mover, p.without.audited = baseline{p.without.pool, syntaxes[kind], check}, check
	query := map[testdb.Kind]string{testdb.SQLite: "SELECT sqlite_version()", testdb.PostgreSQL: "SHOW server_version"}[kind]
	if query == "" {
		query = "SELECT VERSION()"
	}
	return p, p.with.pool.QueryRowContext(ctx, query).Scan(&p.version)
}

// addresses makes an empty database of a name, or leaves it to whoever opens it, and returns its URL.
type addresses func(ctx context.Context, name string) (string, error)

// place gives databases of a kind whose data is in a directory, until they are stopped.
func place(kind testdb.Kind, directory string) (url addresses, stop func() error, err error) {
	if kind == testdb.SQLite {
		return files(directory)
	}
	return server(kind, directory)
}

// files gives databases that are files in a directory of their own.
func files(parent string) (url addresses, stop func() error, err error) {
	directory, err := os.MkdirTemp(parent, "tasktide-bench-")
	url = func(_ context.Context, name string) (string, error) {
		return "sqlite://" + filepath.Join(directory, name+".db"), nil
	}
	return url, func() error { return os.RemoveAll(directory) }, err
}

// server gives databases of a server that is set as it comes, so that a commit is durable.
func server(kind testdb.Kind, directory string) (url addresses, stop func() error, err error) {
	server, err := testdb.Start(kind, testdb.Settings{Directory: directory})
	if err != nil {
		return nil, nil, err
	}
	url = func(ctx context.Context, name string) (string, error) {
		return server.URL(name), server.Create(ctx, name)
	}
	return url, func() error { server.Stop(); return nil }, nil
}

// close ends all that the pair started and removes all that it stored.
func (p *pair) close() error {
	var failures []error
	for _, side := range []*side{p.with, p.without} {
		if side != nil {
			failures = append(failures, side.store.Close())
		}
	}
	if p.stop != nil {
		failures = append(failures, p.stop())
	}
	return errors.Join(failures...)
}

// settle lets neither side pay for what the database put off before.
func (p *pair) settle(ctx context.Context) error {
	for _, side := range []*side{p.with, p.without} {
		for _, statement := range map[testdb.Kind][]string{
			testdb.SQLite:     {"PRAGMA wal_checkpoint(TRUNCATE)"},
			testdb.PostgreSQL: {"VACUUM task", "VACUUM task_status_audit", "CHECKPOINT"},
		}[p.kind] {
			if _, err := side.pool.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
	}
	if p.kind == testdb.MariaDB {
		return purge(ctx, p.with.pool)
	}
	return nil
}

// purge waits, but not for long, until InnoDB has removed what earlier transactions left to be removed.
func purge(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for patience := 40; patience > 0; patience-- {
		var name string
		var left int
		if err := db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'").Scan(&name, &left); err != nil {
			return err
		}
		if left == 0 {
			break
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// side is one of the two databases of a comparison, and what it was told to hold.
type side struct {
	mover

	kind    testdb.Kind
	store   *sqlstore.Store
	pool    *sql.DB // the store's own
	audited bool    // its moves write the audit

	workflow int64
	tasks    []int64             // ids, ascending
	told     []jobmon.TaskStatus // the status into which each task was last moved
	next     []int               // the task that each writer moves next, or the first of those
	moved    []int               // how often each task was moved since the last look
	last     []jobmon.TaskStatus // the status of each task's last audit row at the last look
	seen     int64               // the last audit row at the last look
}

// openSide makes and fills a database.
func openSide(ctx context.Context, kind testdb.Kind, url addresses, name string) (*side, error) {
	address, err := url(ctx, name)
	if err != nil {
		return nil, err
	}
	opened, err := kind.OpenURL(ctx, address)
	if err != nil {
		return nil, err
	}
	s := &side{kind: kind, store: opened}
	if s.pool, err = pool(opened); err == nil {
		err = s.fill(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return s, nil
}

// pool returns the connections through which a store changes its database. Others, opened with the same
// settings, would be alike only until the store's settings change.
func pool(s *sqlstore.Store) (*sql.DB, error) {
	const name = "write"
	field := reflect.ValueOf(s).Elem().FieldByName(name)
	if !field.IsValid() || field.Type() != reflect.TypeFor[*sql.DB]() {
		return nil, fmt.Errorf("sqlstore.Store has no pool %q any more; give its new name", name)
	}
	return (*sql.DB)(field.UnsafePointer()), nil
}

// fill makes the schema, and a workflow whose tasks are registered.
func (s *side) fill(ctx context.Context) error {
	if _, _, err := s.store.Migrate(ctx); err != nil {
		return err
	}
	tool, err := s.store.RegisterTool(ctx, "bench")
	if err != nil {
		return err
	}
	version, err := s.store.AddToolVersion(ctx, tool.ID)
	if err != nil {
		return err
	}
	dag, err := s.store.RegisterDAG(ctx, "bench")
	if err != nil {
		return err
	}
	resources, err := s.store.AddTaskResources(ctx, store.TaskResources{Type: "O", Requested: `{"cores": 1, "memory": 2}`})
	if err != nil {
		return err
	}
	models := make([]store.Task, templates)
	for i := range models {
		models[i] = store.Task{TaskResourcesID: resources, ResourceScales: `{"memory": 0.5}`, FallbackQueues: "[]", MaxAttempts: 3}
		if models[i].NodeID, models[i].ArrayID, err = s.addTemplate(ctx, version.ID, dag.ID, i); err != nil {
			return err
		}
		models[i].WorkflowID = s.workflow
	}
	if err := s.addTasks(ctx, models); err != nil {
		return err
	}
	return s.analyze(ctx)
}

// addTemplate adds a template with a node and, in the workflow, which it makes when there is none yet,
// an array.
func (s *side) addTemplate(ctx context.Context, toolVersion, dag int64, i int) (node, array int64, err error) {
	template, err := s.store.RegisterTaskTemplate(ctx, toolVersion, fmt.Sprintf("template %d", i))
	if err != nil {
		return 0, 0, err
	}
	version, err := s.store.RegisterTaskTemplateVersion(ctx, store.TaskTemplateVersion{
		TaskTemplateID: template, CommandTemplate: "run {location}", ArgMappingHash: "1", TaskArgs: []string{"location"},
	})
	if err != nil {
		return 0, 0, err
	}
	nodes, err := s.store.RegisterNodes(ctx, []store.Node{{TaskTemplateVersionID: version.ID, ArgsHash: "1"}})
	if err != nil {
		return 0, 0, err
	}
	err = s.store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		at, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		if s.workflow == 0 {
			s.workflow, err = tx.SaveWorkflow(ctx, store.Workflow{
				WorkflowKey: store.WorkflowKey{ToolVersionID: toolVersion, DAGID: dag, ArgsHash: "1", TaskHash: "1"},
				Name:        "bench", MaxConcurrentlyRunning: taskCount, Status: jobmon.WorkflowRunning, StatusAt: at,
			})
			if err != nil {
				return err
			}
		}
		array, err = tx.SaveArray(ctx, store.Array{
			TaskTemplateVersionID: version.ID, WorkflowID: s.workflow, Name: fmt.Sprintf("array %d", i),
			MaxConcurrentlyRunning: taskCount, CreatedAt: at,
		})
		return err
	})
	return nodes[0], array, err
}

// addTasks adds tasks after the models, in turn. The tasks of a model share its node and differ by their
// arguments, which is quicker to load and the same to move.
func (s *side) addTasks(ctx context.Context, models []store.Task) error {
	for first := 0; first < taskCount; first += tasksAtOnce {
		tasks := make([]store.Task, tasksAtOnce)
		for i := range tasks {
			n := first + i
			tasks[i] = models[n%len(models)]
			tasks[i].ArgsHash = strconv.Itoa(n)
			tasks[i].Name = fmt.Sprintf("bench location %d", n)
			tasks[i].Command = fmt.Sprintf("python -m bench.model --location %d --release 12 --draws 1000", n)
		}
		err := s.store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
			at, err := tx.Now(ctx)
			if err != nil {
				return err
			}
			ids, err := tx.InsertTasks(ctx, tasks, at)
			s.tasks = append(s.tasks[:first], ids...)
			return err
		})
		if err != nil {
			return err
		}
	}
	s.told = slices.Repeat([]jobmon.TaskStatus{jobmon.TaskRegistering}, taskCount)
	s.last, s.moved = slices.Clone(s.told), make([]int, taskCount)
	return s.pool.QueryRowContext(ctx, "SELECT MAX(id) FROM task_status_audit").Scan(&s.seen)
}

// analyze lets the database plan with what the tables hold.
func (s *side) analyze(ctx context.Context) error {
	statement := "ANALYZE"
	if s.kind == testdb.MariaDB {
		statement = `ANALYZE TABLE task, "array", task_template_version, workflow, workflow_import, task_status_audit`
	}
	_, err := s.pool.ExecContext(ctx, statement)
	return err
}

// verify returns an error unless each task is in the status into which it was moved last, and each move
// that was told done since the last look is in the audit exactly once, in a chain that leads there. It
// returns how many moves these were.
func (s *side) verify(ctx context.Context) (moves int, err error) {
	position := make(map[int64]int, len(s.tasks))
	for i, id := range s.tasks {
		position[id] = i
	}
	if err := s.verifyTasks(ctx, position); err != nil {
		return 0, err
	}
	rows, err := s.followAudit(ctx, position)
	if err != nil {
		return 0, err
	}
	lost, doubled := 0, 0
	for i, told := range s.moved {
		moves += told
		if !s.audited {
			told = 0
		}
		lost += max(told-rows[i], 0)
		doubled += max(rows[i]-told, 0)
		if s.audited && s.last[i] != s.told[i] {
			return 0, fmt.Errorf("the audit of task %d ends with %s and not with %s", s.tasks[i], s.last[i], s.told[i])
		}
	}
	clear(s.moved)
	if lost > 0 || doubled > 0 {
		return 0, fmt.Errorf("of %d moves, the audit lost %d and doubled %d", moves, lost, doubled)
	}
	return moves, nil
}

func (s *side) verifyTasks(ctx context.Context, position map[int64]int) error {
	rows, err := s.pool.QueryContext(ctx, "SELECT id, status FROM task")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var status jobmon.TaskStatus
		if err := rows.Scan(&id, letter{&status}); err != nil {
			return err
		}
		if told := s.told[position[id]]; status != told {
			return fmt.Errorf("task %d is in %s and was moved to %s", id, status, told)
		}
	}
	return rows.Err()
}

// followAudit reads what was appended since the last look and returns how many rows each task got.
func (s *side) followAudit(ctx context.Context, position map[int64]int) ([]int, error) {
	rows, err := s.pool.QueryContext(ctx, syntaxes[s.kind].statement(`
		SELECT id, task_id, previous_status, new_status FROM task_status_audit WHERE id > ? ORDER BY id`), s.seen)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	got := make([]int, len(s.tasks))
	for rows.Next() {
		var task int64
		var from, to jobmon.TaskStatus
		if err := rows.Scan(&s.seen, &task, letter{&from}, letter{&to}); err != nil {
			return nil, err
		}
		i := position[task]
		if from != s.last[i] {
			return nil, fmt.Errorf("the audit of task %d has a move from %s after one to %s", task, from, s.last[i])
		}
		s.last[i] = to
		got[i]++
	}
	return got, rows.Err()
}
