package sqlstore

import (
	"context"
	"fmt"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// RegisterTool implements [store.Catalog].
func (s *Store) RegisterTool(ctx context.Context, name string) (tool store.Tool, err error) {
	err = s.update(ctx, func(tx session) error {
		tool, err = tx.registerTool(ctx, name)
		return err
	})
	return tool, err
}

func (s session) registerTool(ctx context.Context, name string) (store.Tool, error) {
	return findOrInsert(func() (store.Tool, error) {
		return one(ctx, s, "", func(t *store.Tool) []any { return []any{&t.ID, &t.Name} },
			"SELECT id, name FROM tool WHERE name = ?", key(name))
	}, func() error {
		_, err := s.exec(ctx, "INSERT INTO tool (name) VALUES (?)"+s.store.dialect.SkipExisting("name"), key(name))
		return err
	})
}

// findOrInsert returns what find finds, and inserts it first when it is not there. It looks before it
// inserts because an insert that skips what exists uses up an id and is a write all the same; insert
// skips what exists because another transaction may insert it in between.
func findOrInsert[T any](find func() (T, error), insert func() error) (T, error) {
	found, err := find()
	if jobmon.ErrorCode(err) != jobmon.CodeNotFound {
		return found, err
	}
	if err := insert(); err != nil {
		return found, err
	}
	return find()
}

// ToolVersions implements [store.Catalog]. The version that an import made for itself is not listed
// before the import is published: a client would build on it, and it may go away.
func (s *Store) ToolVersions(ctx context.Context, toolID int64) (versions []store.ToolVersion, err error) {
	err = s.view(ctx, func(tx session) error {
		if err := tx.exists(ctx, "tool", toolID, "tool"); err != nil {
			return err
		}
		versions, err = all(ctx, tx, func(v *store.ToolVersion) []any { return []any{&v.ID, &v.ToolID} }, `
			SELECT id, tool_id FROM tool_version WHERE tool_id = ? AND id NOT IN (
				SELECT tool_version_id FROM workflow WHERE id IN (`+staged+`))
			ORDER BY id`, toolID)
		return err
	})
	return versions, err
}

// AddToolVersion implements [store.Catalog].
func (s *Store) AddToolVersion(ctx context.Context, toolID int64) (store.ToolVersion, error) {
	version := store.ToolVersion{ToolID: toolID}
	err := s.update(ctx, func(tx session) (err error) {
		version.ID, err = tx.insert(ctx, "INSERT INTO tool_version (tool_id) VALUES (?)", toolID)
		return err
	})
	if err != nil {
		return store.ToolVersion{}, err
	}
	return version, nil
}

// Cluster implements [store.Catalog].
func (s *Store) Cluster(ctx context.Context, name string) (cluster store.Cluster, err error) {
	err = s.view(ctx, func(tx session) error {
		cluster, err = one(ctx, tx, fmt.Sprintf("there is no cluster %q", name), func(c *store.Cluster) []any {
			return []any{&c.ID, &c.Name, &c.Type, &c.ConnectionParameters}
		}, `
			SELECT c.id, c.name, t.name, c.connection_parameters
			FROM cluster c JOIN cluster_type t ON t.id = c.cluster_type_id WHERE c.name = ?`, name)
		return err
	})
	return cluster, err
}

// Queue implements [store.Catalog].
func (s *Store) Queue(ctx context.Context, clusterID int64, name string) (queue store.Queue, err error) {
	err = s.view(ctx, func(tx session) error {
		queue, err = one(ctx, tx, fmt.Sprintf("cluster %d has no queue %q", clusterID, name), func(q *store.Queue) []any {
			return []any{&q.ID, &q.Name, &q.Parameters}
		}, "SELECT id, name, parameters FROM queue WHERE cluster_id = ? AND name = ?", clusterID, name)
		return err
	})
	return queue, err
}

// AddTaskResources implements [store.Catalog].
func (s *Store) AddTaskResources(ctx context.Context, resources store.TaskResources) (id int64, err error) {
	err = s.update(ctx, func(tx session) error {
		id, err = tx.insert(ctx,
			"INSERT INTO task_resources (queue_id, task_resources_type_id, requested_resources) VALUES (?, ?, ?)",
			resources.QueueID, resources.Type, resources.Requested)
		return err
	})
	return id, err
}

// WorkflowsByArgs implements [store.Catalog].
func (s *Store) WorkflowsByArgs(ctx context.Context, argsHash string) (matches []store.WorkflowMatch, err error) {
	err = s.view(ctx, func(tx session) error {
		matches, err = all(ctx, tx, func(m *store.WorkflowMatch) []any {
			return []any{&m.ID, &m.TaskHash, &m.ToolVersionID, &m.DAGID, &m.DAGHash}
		}, `
			SELECT w.id, w.task_hash, w.tool_version_id, w.dag_id, d.hash FROM workflow w JOIN dag d ON d.id = w.dag_id
			WHERE w.workflow_args_hash = ? AND w.id NOT IN (`+staged+`) ORDER BY w.id`, argsHash)
		return err
	})
	return matches, err
}

// exists returns CodeNotFound when a table has no row with an id; what names the row to people.
func (s session) exists(ctx context.Context, table string, id int64, what string) error {
	_, err := one(ctx, s, fmt.Sprintf("there is no %s %d", what, id), number, "SELECT id FROM "+table+" WHERE id = ?", id)
	return err
}
