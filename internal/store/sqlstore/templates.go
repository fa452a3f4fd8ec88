package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// The ids of the seed rows of arg_type.
const (
	nodeArg = 1
	taskArg = 2
	opArg   = 3
)

// TaskTemplates implements [store.Catalog].
func (s *Store) TaskTemplates(ctx context.Context, toolVersionID int64) (templates []store.TaskTemplate, err error) {
	err = s.view(ctx, func(tx session) error {
		if err := tx.exists(ctx, "tool_version", toolVersionID, "tool version"); err != nil {
			return err
		}
		templates, err = all(ctx, tx, func(t *store.TaskTemplate) []any {
			return []any{&t.ID, &t.ToolVersionID, &t.Name}
		}, "SELECT id, tool_version_id, name FROM task_template WHERE tool_version_id = ? ORDER BY id", toolVersionID)
		return err
	})
	return templates, err
}

// RegisterTaskTemplate implements [store.Catalog].
func (s *Store) RegisterTaskTemplate(ctx context.Context, toolVersionID int64, name string) (id int64, err error) {
	err = s.update(ctx, func(tx session) error {
		id, err = tx.registerTaskTemplate(ctx, toolVersionID, name)
		return err
	})
	return id, err
}

func (s session) registerTaskTemplate(ctx context.Context, toolVersionID int64, name string) (int64, error) {
	return findOrInsert(func() (int64, error) {
		return one(ctx, s, "", number, "SELECT id FROM task_template WHERE tool_version_id = ? AND name = ?",
			toolVersionID, key(name))
	}, func() error {
		_, err := s.exec(ctx, "INSERT INTO task_template (tool_version_id, name) VALUES (?, ?)"+
			s.store.dialect.SkipExisting("name"), toolVersionID, key(name))
		return err
	})
}

// TaskTemplateVersions implements [store.Catalog].
func (s *Store) TaskTemplateVersions(
	ctx context.Context, taskTemplateID int64,
) (versions []store.TaskTemplateVersion, err error) {
	err = s.view(ctx, func(tx session) error {
		if err := tx.exists(ctx, "task_template", taskTemplateID, "task template"); err != nil {
			return err
		}
		versions, err = tx.taskTemplateVersions(ctx, "v.task_template_id = ?", taskTemplateID)
		return err
	})
	return versions, err
}

func (s session) taskTemplateVersions(ctx context.Context, where string, args ...any) ([]store.TaskTemplateVersion, error) {
	versions, err := all(ctx, s, func(v *store.TaskTemplateVersion) []any {
		return []any{&v.ID, &v.TaskTemplateID, &v.CommandTemplate, &v.ArgMappingHash}
	}, `
		SELECT v.id, v.task_template_id, v.command_template, v.arg_mapping_hash
		FROM task_template_version v WHERE `+where+" ORDER BY v.id", args...)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*store.TaskTemplateVersion, len(versions))
	for i := range versions {
		versions[i].ArgIDs = map[string]int64{}
		byID[versions[i].ID] = &versions[i]
	}
	type mapping struct {
		versionID, argID, kind int64
		name                   string
	}
	for m, err := range each(ctx, s, func(m *mapping) []any { return []any{&m.versionID, &m.argID, &m.kind, &m.name} }, `
		SELECT m.task_template_version_id, m.arg_id, m.arg_type_id, a.name
		FROM task_template_version v
		JOIN template_arg_map m ON m.task_template_version_id = v.id
		JOIN arg a ON a.id = m.arg_id
		WHERE `+where+" ORDER BY v.id, m.arg_id", args...) {
		if err != nil {
			return nil, err
		}
		version := byID[m.versionID]
		if version == nil {
			continue // committed since the versions were read: where others write too, each statement has a snapshot of its own
		}
		version.ArgIDs[m.name] = m.argID
		switch m.kind {
		case nodeArg:
			version.NodeArgs = append(version.NodeArgs, m.name)
		case taskArg:
			version.TaskArgs = append(version.TaskArgs, m.name)
		case opArg:
			version.OpArgs = append(version.OpArgs, m.name)
		}
	}
	return versions, nil
}

// RegisterTaskTemplateVersion implements [store.Catalog].
func (s *Store) RegisterTaskTemplateVersion(
	ctx context.Context, wanted store.TaskTemplateVersion,
) (version store.TaskTemplateVersion, err error) {
	err = s.update(ctx, func(tx session) error {
		version, err = tx.registerTaskTemplateVersion(ctx, wanted)
		return err
	})
	return version, err
}

func (s session) registerTaskTemplateVersion(
	ctx context.Context, wanted store.TaskTemplateVersion,
) (store.TaskTemplateVersion, error) {
	return findOrInsert(func() (version store.TaskTemplateVersion, err error) {
		found, err := s.taskTemplateVersions(ctx,
			"v.task_template_id = ? AND v.command_template = ? AND v.arg_mapping_hash = ?",
			wanted.TaskTemplateID, wanted.CommandTemplate, key(wanted.ArgMappingHash))
		if err == nil && len(found) == 0 {
			err = jobmon.Errorf(jobmon.CodeNotFound, "there is no such task template version")
		}
		if err != nil {
			return version, err
		}
		return found[0], nil
	}, func() error {
		return s.insertTaskTemplateVersion(ctx, wanted)
	})
}

func (s session) insertTaskTemplateVersion(ctx context.Context, version store.TaskTemplateVersion) error {
	_, err := s.exec(ctx, `
		INSERT INTO task_template_version (task_template_id, command_template, arg_mapping_hash) VALUES (?, ?, ?)`+
		s.store.dialect.SkipExisting("arg_mapping_hash"), version.TaskTemplateID, version.CommandTemplate, key(version.ArgMappingHash))
	if err != nil {
		return err
	}
	id, err := one(ctx, s, "", number, `
		SELECT id FROM task_template_version
		WHERE task_template_id = ? AND command_template = ? AND arg_mapping_hash = ?`,
		version.TaskTemplateID, version.CommandTemplate, key(version.ArgMappingHash))
	if err != nil {
		return err
	}
	for _, args := range []struct {
		kind  int
		names []string
	}{{nodeArg, version.NodeArgs}, {taskArg, version.TaskArgs}, {opArg, version.OpArgs}} {
		for _, name := range args.names {
			if err := s.mapArg(ctx, id, name, args.kind); err != nil {
				return err
			}
		}
	}
	return nil
}

// mapArg names an argument of a template version, and creates the argument when it is new.
func (s session) mapArg(ctx context.Context, versionID int64, name string, kind int) error {
	id, err := findOrInsert(func() (int64, error) {
		return one(ctx, s, "", number, "SELECT id FROM arg WHERE name = ?", key(name))
	}, func() error {
		_, err := s.exec(ctx, "INSERT INTO arg (name) VALUES (?)"+s.store.dialect.SkipExisting("name"), key(name))
		return err
	})
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, "INSERT INTO template_arg_map (task_template_version_id, arg_id, arg_type_id) VALUES (?, ?, ?)"+
		s.store.dialect.SkipExisting("arg_id"), versionID, id, kind)
	return err
}

// RegisterNodes implements [store.Catalog].
func (s *Store) RegisterNodes(ctx context.Context, nodes []store.Node) (ids []int64, err error) {
	err = s.update(ctx, func(tx session) error {
		ids, err = tx.registerNodes(ctx, nodes)
		return err
	})
	return ids, err
}

// nodeKey identifies a node.
type nodeKey struct {
	templateVersionID int64
	argsHash          string
}

func keyOf(n store.Node) nodeKey { return nodeKey{n.TaskTemplateVersionID, n.ArgsHash} }

func (s session) registerNodes(ctx context.Context, nodes []store.Node) ([]int64, error) {
	known, err := s.findNodes(ctx, nodes)
	if err != nil {
		return nil, err
	}
	missing := slices.DeleteFunc(slices.Clone(nodes), func(n store.Node) bool { return known[keyOf(n)] != 0 })
	// In one order, so that those who register the same nodes at once wait for each other only once.
	slices.SortFunc(missing, func(a, b store.Node) int {
		return cmp.Or(cmp.Compare(a.TaskTemplateVersionID, b.TaskTemplateVersionID), cmp.Compare(a.ArgsHash, b.ArgsHash))
	})
	err = insertRows(ctx, s, "INSERT INTO node (task_template_version_id, node_args_hash)", s.store.dialect.SkipExisting("node_args_hash"),
		missing, 2, func(n store.Node) []any { return []any{n.TaskTemplateVersionID, key(n.ArgsHash)} })
	if err != nil {
		return nil, err
	}
	added, err := s.findNodes(ctx, missing)
	if err != nil {
		return nil, err
	}
	maps.Copy(known, added)
	type value struct {
		nodeID, argID int64
		text          string
	}
	var values []value
	for _, node := range missing {
		for argID, text := range node.Args {
			values = append(values, value{known[keyOf(node)], argID, text})
		}
	}
	err = insertRows(ctx, s, "INSERT INTO node_arg (node_id, arg_id, val)", s.store.dialect.SkipExisting("node_id"),
		values, 3, func(v value) []any { return []any{v.nodeID, v.argID, v.text} })
	ids := make([]int64, len(nodes))
	for i, node := range nodes {
		ids[i] = known[keyOf(node)]
	}
	return ids, err
}

// findNodes returns the ids of those of the nodes that exist.
func (s session) findNodes(ctx context.Context, nodes []store.Node) (map[nodeKey]int64, error) {
	hashes := map[int64][]any{}
	for _, node := range nodes {
		hashes[node.TaskTemplateVersionID] = append(hashes[node.TaskTemplateVersionID], key(node.ArgsHash))
	}
	found := make(map[nodeKey]int64, len(nodes))
	for version, hashes := range hashes {
		for part := range slices.Chunk(hashes, rowsPerStatement) {
			type row struct {
				id   int64
				hash string
			}
			for node, err := range each(ctx, s, func(r *row) []any { return []any{&r.id, &r.hash} },
				"SELECT id, node_args_hash FROM node WHERE task_template_version_id = ? AND node_args_hash IN ("+
					placeholders(len(part))+")", append([]any{version}, part...)...) {
				if err != nil {
					return nil, err
				}
				found[nodeKey{version, node.hash}] = node.id
			}
		}
	}
	return found, nil
}

// RegisterDAG implements [store.Catalog].
func (s *Store) RegisterDAG(ctx context.Context, hash string) (dag store.DAG, err error) {
	err = s.update(ctx, func(tx session) error {
		dag, err = tx.registerDAG(ctx, hash)
		return err
	})
	return dag, err
}

func (s session) registerDAG(ctx context.Context, hash string) (store.DAG, error) {
	return findOrInsert(func() (store.DAG, error) {
		return one(ctx, s, "", func(d *store.DAG) []any { return []any{&d.ID, instant{&d.CreatedAt}} },
			"SELECT id, created_date FROM dag WHERE hash = ?", key(hash))
	}, func() error {
		_, err := s.exec(ctx, "INSERT INTO dag (hash) VALUES (?)"+s.store.dialect.SkipExisting("hash"), key(hash))
		return err
	})
}

// AddEdges implements [store.Catalog].
func (s *Store) AddEdges(ctx context.Context, dagID int64, edges []store.Edge, markCreated bool) error {
	return s.update(ctx, func(tx session) error {
		if err := tx.exists(ctx, "dag", dagID, "dag"); err != nil {
			return err
		}
		err := insertRows(ctx, tx, "INSERT INTO edge (dag_id, node_id, upstream_node_ids, downstream_node_ids)",
			s.dialect.SkipExisting("dag_id"), edges, 4, func(e store.Edge) []any {
				return []any{dagID, e.NodeID, nodeList(e.Upstream), nodeList(e.Downstream)}
			})
		if err != nil || !markCreated {
			return err
		}
		now, err := tx.now(ctx)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, "UPDATE dag SET created_date = ? WHERE id = ? AND created_date IS NULL", tx.at(now), dagID)
		return err
	})
}

// nodeList is a list of nodes as the edge table holds it: JSON, and NULL for none.
func nodeList(ids []int64) any {
	if len(ids) == 0 {
		return nil
	}
	text, err := json.Marshal(ids)
	if err != nil {
		panic(err) // integers always encode
	}
	return string(text)
}

func parseNodeList(text string) (ids []int64, err error) {
	if text == "" {
		return nil, nil
	}
	err = json.Unmarshal([]byte(text), &ids)
	return ids, err
}
