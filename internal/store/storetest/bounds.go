package storetest

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// keyLength is how many characters a key may have.
const keyLength = 255

// unstorable are texts that not every database can store, so none does.
var unstorable = map[string]string{
	"NUL": "a\x00b", "only NUL": "\x00", "half a character": "a\xc3", "no character": "\xff", "a surrogate": "\xed\xa0\x80",
}

// eachText runs a test for each place of a text, with a task that has an instance.
func eachText(t *testing.T, s store.Store, places map[string]storeText, test func(f *fixture, place string, put storeText)) {
	t.Helper()
	for place, put := range places {
		t.Run(place, func(t *testing.T) {
			f := newFixture(t, s, newName(), 1)
			f.queue(begin, f.tasks...)
			test(f, place, put)
		})
	}
}

var boundTests = map[string]func(t *testing.T, s store.Store){
	"AKeyHasUpTo255Characters": func(t *testing.T, s store.Store) {
		// Where nobody can see the key itself, its ids tell.
		shown := []string{
			"template", "argument", "arguments of a template", "arguments of a workflow", "tasks of a workflow", "arguments of a task",
			"import",
		}
		eachText(t, s, keyTexts, func(f *fixture, place string, put storeText) {
			for _, character := range []string{"x", "🌊"} {
				begins := newName()
				begins += strings.Repeat(character, keyLength-1-len(begins))
				seen := map[int64]string{}
				for _, ends := range []string{"a", "A", "🌊", "🌋"} {
					id, err := put(f, begins+ends)
					f.ok(err)
					if other, taken := seen[id]; taken && id != 0 {
						f.Errorf("%q is taken for %q", ends, other)
					}
					seen[id] = ends
				}
				visible := f.visible()
				if slices.Contains(shown, place) && !strings.Contains(visible, begins+"🌋") {
					f.Errorf("%q is not to be found", begins+"🌋")
				}
				for _, ends := range []string{"🌋!", "🌋 ", "🌋🌋", strings.Repeat("🌊", 10_000)} {
					_, err := put(f, begins+ends)
					f.code(err, jobmon.CodeTooLarge)
				}
				f.unchanged(visible)
			}
		})
	},

	"TextThatIsNoTextIsRefused": func(t *testing.T, s store.Store) {
		places := maps.Clone(keyTexts)
		maps.Copy(places, longTexts)
		maps.Copy(places, otherTexts)
		eachText(t, s, places, func(f *fixture, _ string, put storeText) {
			before := f.visible()
			for name, text := range unstorable {
				if _, err := put(f, text); jobmon.ErrorCode(err) != jobmon.CodeInvalid {
					f.Errorf("%s: %v", name, err)
				}
			}
			f.unchanged(before)
			_, err := put(f, "\u0001\u007f\ufffd\uffff\u202e🌊\t\n") // odd, but text
			f.ok(err)
		})
	},

	"ALongTextComesBack": func(t *testing.T, s store.Store) {
		const mebibyte = 1 << 20
		eachText(t, s, longTexts, func(f *fixture, place string, put storeText) {
			for _, want := range []string{strings.Repeat("12345678", mebibyte/8), strings.Repeat("🌊🌋", mebibyte/8)} {
				id, err := put(f, want)
				f.ok(err)
				got := want // where nobody can read it
				f.view(func(ctx context.Context, view store.Snapshot) (err error) {
					switch place {
					case "description of a workflow":
						var info store.WorkflowInfo
						info, err = view.Workflow(ctx, id)
						got = info.Description
					case "resources":
						got, err = view.RequestedResources(ctx, id)
					}
					return err
				})
				switch place {
				case "command":
					got = f.stored(store.TaskFilter{IDs: []int64{id}})[0].Command
				case "described command":
					got = f.stored(store.TaskFilter{IDs: f.tasks})[0].Command
				case "command of a template":
					versions, err := s.TaskTemplateVersions(f.Context(), f.template.TaskTemplateID)
					f.ok(err)
					got = versions[len(versions)-1].CommandTemplate
				}
				if got != want {
					f.Errorf("%d bytes came back as %d, or as others", len(want), len(got))
				}
			}
		})
	},

	"OtherTextsAreNotBoundAsKeysAre": func(t *testing.T, s store.Store) {
		eachText(t, s, otherTexts, func(f *fixture, _ string, put storeText) {
			_, err := put(f, strings.Repeat("🌊", 20_000))
			f.ok(err)
		})
	},

	"CommandsAreComparedToTheirEnd": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		register := func(end string) int64 {
			version, err := s.RegisterTaskTemplateVersion(t.Context(), store.TaskTemplateVersion{
				TaskTemplateID: f.template.TaskTemplateID, CommandTemplate: strings.Repeat("command ", 12_500) + end, ArgMappingHash: "1",
			})
			f.ok(err)
			return version.ID
		}
		seen := map[int64]string{}
		for _, end := range []string{"a", "b", "A", "a ", "ä", ""} {
			id := register(end)
			if other, taken := seen[id]; taken {
				t.Errorf("%q is taken for %q", end, other)
			}
			if seen[id] = end; register(end) != id {
				t.Errorf("%q is registered twice", end)
			}
		}
	},

	"NothingIsFoundByWhatIsNoText": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		for name, text := range unstorable {
			for what, ask := range map[string]func() error{
				"Cluster":         func() error { _, err := s.Cluster(t.Context(), text); return err },
				"Queue":           func() error { _, err := s.Queue(t.Context(), 1, text); return err },
				"WorkflowsByArgs": func() error { _, err := s.WorkflowsByArgs(t.Context(), text); return err },
				"Workflows": func() error {
					return s.View(t.Context(), func(ctx context.Context, view store.Snapshot) error {
						_, err := view.Workflows(ctx, store.WorkflowFilter{Search: text})
						return err
					})
				},
				"LockWorkflowByKey": func() error {
					key := f.key
					key.TaskHash = text
					return s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
						_, err := tx.LockWorkflowByKey(ctx, key)
						return err
					})
				},
			} {
				t.Run(what+", "+name, func(t *testing.T) { wantCode(t, ask(), jobmon.CodeInvalid) })
			}
		}
	},

	"AnImportLiesBetweenTheFirstAndTheLastInstant": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		id, err := s.BeginImport(t.Context(), someRun)
		f.ok(err)
		good := jobmon.TaskHistory{Name: "t", Template: "t", Moves: []jobmon.Move{
			{To: jobmon.TaskRegistering, At: 1}, {To: jobmon.TaskDone, At: store.MaxInstant},
		}}
		for _, moves := range [][2]int64{
			{0, 1}, {-1, 1}, {math.MinInt64, 1}, {1, store.MaxInstant + 1}, {1, 1 << 62}, {1, math.MaxInt64},
		} {
			bad := good
			bad.Moves = []jobmon.Move{{To: jobmon.TaskRegistering, At: moves[0]}, {To: jobmon.TaskDone, At: moves[1]}}
			f.code(s.ImportTasks(t.Context(), id, []jobmon.TaskHistory{good, bad}), jobmon.CodeInvalid)
		}
		f.ok(s.ImportTasks(t.Context(), id, []jobmon.TaskHistory{good}))
		f.ok(s.PublishImport(t.Context(), id, jobmon.WorkflowDone))
		f.workflow = id
		if rows := f.history(); len(rows) != 2 || rows[0].At != 1 || rows[1].At != store.MaxInstant {
			t.Errorf("history %+v", rows)
		}
	},
}
