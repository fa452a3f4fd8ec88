package storetest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

func (f *fixture) ownerships(kind store.SubjectKind, ids ...int64) (owned []store.Ownership) {
	f.Helper()
	f.view(func(ctx context.Context, view store.Snapshot) (err error) {
		owned, err = view.Ownerships(ctx, store.Subject{Kind: kind, IDs: ids})
		return err
	})
	return owned
}

func (f *fixture) runOf(user string) {
	f.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		_, err := tx.SaveRun(ctx, store.Run{WorkflowID: f.workflow, User: user, Status: jobmon.RunLinking, StatusAt: begin, CreatedAt: begin})
		return err
	})
}

func same(t tester, what string, got, want any) {
	t.Helper()
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("%s: %s", what, difference)
	}
}

var accessTests = map[string]func(t *testing.T, s store.Store){
	"WhatBelongsToAWorkflowTellsWhoseItIs": func(t *testing.T, s store.Store) {
		a, b := newFixture(t, s, "a", 2), newFixture(t, s, "b", 1)
		a.queue(begin, a.tasks...)
		b.queue(begin, b.tasks...)
		for _, user := range []string{"User a", "user a", "é", "User a"} {
			a.runOf(user)
		}
		ofA := store.Ownership{WorkflowID: a.workflow, Users: []string{"User a", "user a", "é"}}
		ofB := store.Ownership{WorkflowID: b.workflow, Users: []string{"user b"}}
		instances := func(f *fixture) (ids []int64) {
			for _, instance := range f.instances(store.InstanceFilter{WorkflowID: f.workflow}) {
				ids = append(ids, instance.ID)
			}
			return ids
		}
		const none = 1 << 40
		for kind, ids := range map[store.SubjectKind][2][]int64{
			store.OfWorkflow: {{a.workflow}, {b.workflow}},
			store.OfRun:      {{a.run}, {b.run}},
			store.OfArray:    {{a.array}, {b.array}},
			store.OfTask:     {a.tasks, b.tasks},
			store.OfInstance: {instances(a), instances(b)},
		} {
			same(t, "one", a.ownerships(kind, ids[0]...), []store.Ownership{ofA})
			same(t, "two, in any order", a.ownerships(kind, append(append([]int64{none}, ids[1]...), ids[0]...)...), []store.Ownership{ofA, ofB})
			same(t, "what is not there", a.ownerships(kind, none, none+1), []store.Ownership(nil))
			same(t, "nothing", a.ownerships(kind), []store.Ownership(nil))
		}
	},

	"AWorkflowWithoutARunIsNobodys": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		f.update(func(ctx context.Context, tx store.Tx) error {
			key := f.key
			key.TaskHash = "other"
			id, err := tx.SaveWorkflow(ctx, store.Workflow{WorkflowKey: key, Status: jobmon.WorkflowRegistering, StatusAt: begin})
			f.workflow = id
			return err
		})
		same(t, "without a run", f.ownerships(store.OfWorkflow, f.workflow), []store.Ownership{{WorkflowID: f.workflow}})
		id, err := s.BeginImport(t.Context(), someRun)
		f.ok(err)
		same(t, "while it is imported", f.ownerships(store.OfWorkflow, id), []store.Ownership(nil))
		f.ok(s.PublishImport(t.Context(), id, jobmon.WorkflowDone))
		same(t, "imported", f.ownerships(store.OfWorkflow, id), []store.Ownership{{WorkflowID: id, Imported: true}})
	},

	"WorkflowsAreListedByTheUsersOfTheirRuns": func(t *testing.T, s store.Store) {
		a, b := newFixture(t, s, "a", 0), newFixture(t, s, "b", 0)
		a.runOf("both")
		a.runOf("later")
		b.runOf("both")
		for user, want := range map[string][]int64{
			"": {b.workflow, a.workflow}, "both": {b.workflow, a.workflow}, "later": {a.workflow}, "user b": {b.workflow}, "User b": nil,
		} {
			var got []int64
			a.view(func(ctx context.Context, view store.Snapshot) error {
				infos, err := view.Workflows(ctx, store.WorkflowFilter{User: user})
				for _, info := range infos {
					got = append(got, info.ID)
				}
				return err
			})
			equal(t, "of "+user, got, want)
		}
	},

	"TokensAreFoundByTheirHashes": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		ctx := t.Context()
		tokens := []store.Token{
			{Name: "ci", User: "ada", Scopes: "read,state", Hash: "abc", CreatedAt: begin, ExpiresAt: begin + 1},
			{Name: "ci", User: "Ada", Scopes: "admin", Hash: "ABC", CreatedAt: begin + 2, ExpiresAt: store.MaxInstant},
		}
		for i := range tokens {
			id, err := s.AddToken(ctx, tokens[i])
			f.ok(err)
			tokens[i].ID = id
		}
		for _, want := range tokens {
			got, err := s.TokenByHash(ctx, want.Hash)
			f.ok(err)
			same(t, "token", got, want)
		}
		_, err := s.TokenByHash(ctx, "aBC")
		f.code(err, jobmon.CodeNotFound)
		_, err = s.AddToken(ctx, tokens[0])
		f.code(err, jobmon.CodeConflict)
		listed, err := s.Tokens(ctx)
		f.ok(err)
		for i := range tokens {
			tokens[i].Hash = ""
		}
		same(t, "list", listed, tokens)
		f.ok(s.DeleteToken(ctx, tokens[0].ID))
		f.code(s.DeleteToken(ctx, tokens[0].ID), jobmon.CodeNotFound)
		_, err = s.TokenByHash(ctx, "abc")
		f.code(err, jobmon.CodeNotFound)
		if listed, err = s.Tokens(ctx); err != nil || len(listed) != 1 {
			t.Errorf("left: %v, %v", listed, err)
		}
	},
}
