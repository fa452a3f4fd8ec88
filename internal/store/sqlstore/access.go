package sqlstore

import (
	"context"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// workflowsOf selects, by kind of what belongs to a workflow, the ids of the workflows; the condition on the ids
// of the things follows.
var workflowsOf = map[store.SubjectKind]struct{ query, column string }{
	store.OfWorkflow: {"SELECT x.id FROM workflow x WHERE ", "x.id"},
	store.OfRun:      {"SELECT x.workflow_id FROM workflow_run x WHERE ", "x.id"},
	store.OfArray:    {`SELECT x.workflow_id FROM "array" x WHERE `, "x.id"},
	store.OfTask:     {"SELECT x.workflow_id FROM task x WHERE ", "x.id"},
	store.OfInstance: {"SELECT t.workflow_id FROM task_instance x JOIN task t ON t.id = x.task_id WHERE ", "x.id"},
}

// Ownerships implements [store.Snapshot].
func (v snapshot) Ownerships(ctx context.Context, of store.Subject) ([]store.Ownership, error) {
	if len(of.IDs) == 0 {
		return nil, nil
	}
	named := workflowsOf[of.Kind]
	clause, args := v.among(named.column, of.IDs)
	type row struct {
		id       int64
		user     string
		imported bool
	}
	rows := each(ctx, v.session, func(r *row) []any { return []any{&r.id, orZero(&r.user), &r.imported} }, `
		SELECT DISTINCT w.id, r."user", EXISTS (SELECT 1 FROM workflow_import i WHERE i.workflow_id = w.id)
		FROM workflow w LEFT JOIN workflow_run r ON r.workflow_id = w.id
		WHERE w.id IN (`+named.query+clause+`) AND w.id NOT IN (`+staged+`)
		ORDER BY w.id, r."user"`, args...)
	var owned []store.Ownership
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		if len(owned) == 0 || owned[len(owned)-1].WorkflowID != row.id {
			owned = append(owned, store.Ownership{WorkflowID: row.id, Imported: row.imported})
		}
		if last := &owned[len(owned)-1]; row.user != "" {
			last.Users = append(last.Users, row.user)
		}
	}
	return owned, nil
}

const selectAccess = `
	SELECT t.id, t.name, t."user", t.scopes, t.created_at, t.expires_at FROM access_token t`

func tokenColumns(t *store.Token) []any {
	return []any{&t.ID, &t.Name, &t.User, &t.Scopes, instant{&t.CreatedAt}, instant{&t.ExpiresAt}}
}

// AddToken implements [store.Tokens].
func (s *Store) AddToken(ctx context.Context, token store.Token) (id int64, err error) {
	err = s.update(ctx, func(tx session) error {
		id, err = tx.save(ctx, "access_token", 0, []column{
			{"name", key(token.Name)},
			{`"user"`, key(token.User)},
			{"scopes", key(token.Scopes)},
			{"hash", key(token.Hash)},
			{"created_at", tx.at(token.CreatedAt)},
			{"expires_at", tx.at(token.ExpiresAt)},
		})
		return err
	})
	return id, err
}

// TokenByHash implements [store.Tokens].
func (s *Store) TokenByHash(ctx context.Context, hash string) (token store.Token, err error) {
	err = s.view(ctx, func(tx session) error {
		token, err = one(ctx, tx, "there is no such token", tokenColumns, selectAccess+" WHERE t.hash = ?", key(hash))
		return err
	})
	token.Hash = hash
	return token, err
}

// Tokens implements [store.Tokens].
func (s *Store) Tokens(ctx context.Context) (tokens []store.Token, err error) {
	err = s.view(ctx, func(tx session) error {
		tokens, err = all(ctx, tx, tokenColumns, selectAccess+" ORDER BY t.id")
		return err
	})
	return tokens, err
}

// DeleteToken implements [store.Tokens].
func (s *Store) DeleteToken(ctx context.Context, id int64) error {
	return s.update(ctx, func(tx session) error {
		deleted, err := tx.exec(ctx, "DELETE FROM access_token WHERE id = ?", id)
		if err == nil && deleted == 0 {
			err = jobmon.Errorf(jobmon.CodeNotFound, "there is no token %d", id)
		}
		return err
	})
}
