package api_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// changesPage is a page of the audit as a client reads it.
type changesPage struct {
	Changes []struct {
		ID             int64     `json:"id"`
		TaskID         int64     `json:"task_id"`
		PreviousStatus string    `json:"previous_status"`
		NewStatus      string    `json:"new_status"`
		ChangedAt      time.Time `json:"changed_at"`
	} `json:"task_status_changes"`
	NextCursor *string    `json:"next_cursor"`
	RowsFrom   *time.Time `json:"rows_from"`
}

func changesPath(workflow int64) string {
	return fmt.Sprintf("/api/v2/workflow/%d/task_status_changes", workflow)
}

func (f *fixture) changes(path string, query url.Values) (page changesPage) {
	f.t.Helper()
	got := f.send("GET", path+"?"+query.Encode(), "")
	got.ok()
	if err := json.Unmarshal(got.body, &page); err != nil {
		f.t.Fatal(err)
	}
	return page
}

// everyRow is more than any test has.
const everyRow = 1 << 20

// removeRows does what retention does with the rows before an instant; it may not have come further than to the
// first of them.
func (f *fixture) removeRows(workflow int64, rowsFrom time.Time, most int) {
	f.t.Helper()
	err := f.store.Maintain(f.t.Context(), func(ctx context.Context, tx store.UpkeepTx) error {
		h, err := tx.LockHorizon(ctx, workflow)
		if err != nil {
			return err
		}
		h.RowsFrom = rowsFrom.UnixMicro()
		if err := tx.SaveHorizon(ctx, h); err != nil {
			return err
		}
		_, err = tx.DeleteTransitions(ctx, store.TransitionFilter{WorkflowID: workflow, Before: h.RowsFrom}, most)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func TestTaskStatusChanges(t *testing.T) {
	f := newFixture(t)
	workflow := f.threeMinutes() // a, b and c in this order
	got := f.send("GET", changesPath(workflow)+"?new_status=D&new_status=registering&task_template_name=load", "").ok()
	var stored []any
	for i := range 2 {
		change := at(t, got, "task_status_changes", i).(map[string]any)
		stored = append(stored, change["stored_at"])
		if written, err := time.Parse(time.RFC3339, stored[i].(string)); err != nil || written.Sub(noon) < 30*24*time.Hour {
			t.Errorf("a row of a run that is over was stored at %v", stored[i])
		}
	}
	first, task := id(t, got, "task_status_changes", 0, "id"), id(t, got, "task_status_changes", 0, "task_id")
	f.send("GET", changesPath(workflow)+"?new_status=D&new_status=G&task_template_name=load", "").is(fmt.Sprintf(`{
		"task_status_changes": [{
			"id": %d, "task_id": %d, "task_name": "a", "task_template_name": "load", "previous_status": null, "new_status": "G",
			"changed_at": "2025-05-27T12:00:30Z", "previous_at": null, "duration_seconds": null, "stored_at": %q
		}, {
			"id": %d, "task_id": %d, "task_name": "a", "task_template_name": "load", "previous_status": "R", "new_status": "D",
			"changed_at": "2025-05-27T12:02:00Z", "previous_at": "2025-05-27T12:00:30Z", "duration_seconds": 90, "stored_at": %q
		}],
		"next_cursor": null, "rows_from": null}`, first, task, stored[0], first+4, task, stored[1]))

	statuses := func(query string) string {
		letters := ""
		values, err := url.ParseQuery(query)
		for _, change := range f.changes(changesPath(workflow), must(t, values, err)).Changes {
			letters += change.NewStatus
		}
		return letters
	}
	for query, want := range map[string]string{
		"":                                  "GQIRGQIRGQIRDDD",
		"order=desc&limit=4":                "DDDR",
		"order=asc&limit=4":                 "GQIR",
		"start=2025-05-27T12:02:00Z":        "D",
		"end=2025-05-27T12:01:15Z":          "GQIR",
		"end=2025-05-27T12:01:15.000001Z":   "GQIRGQIRGQIR",
		"start=2025-05-27T12:01:35.5Z":      "DDD",
		"start=2025-05-27T12:01:35.500001Z": "D",
		"start=2025-05-27T12:01:15Z&end=2025-05-27T12:01:35.5Z": "GQIRGQIR",
		"previous_status=R":                                        "DDD",
		"previous_status=Q&previous_status=I":                      "IRIRIR",
		"previous_status=queued&new_status=RUNNING":                "",
		"task_template_name=burst&task_template_name=load&limit=1": "G",
		"task_template_name=burst&new_status=D":                    "DD",
		fmt.Sprintf("task_id=%d&order=desc", task):                 "DRIQG",
		fmt.Sprintf("task_id=%d&task_template_name=burst", task):   "",
	} {
		if got := statuses(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestPagesOfChangesWhileRowsArrive(t *testing.T) {
	f := newFixture(t)
	b := f.bind("pages", 4)
	rapid.Check(t, func(t *rapid.T) {
		move := func() {
			task := rapid.SampledFrom(b.tasks).Draw(t, "task")
			var err error
			if rapid.IntRange(0, 4).Draw(t, "reset") == 0 {
				_, err = f.ledger.Reset(f.t.Context(), task, true)
			} else {
				_, err = f.ledger.Transition(f.t.Context(), task, rapid.SampledFrom(jobmon.TaskStatuses()).Draw(t, "to"))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		some := func(name string) (words []string) {
			for _, status := range rapid.SliceOfNDistinct(rapid.SampledFrom(jobmon.TaskStatuses()), 0, 3, rapid.ID[jobmon.TaskStatus]).Draw(t, name) {
				words = append(words, rapid.SampledFrom([]string{status.String(), status.Name(), strings.ToLower(status.Name())}).Draw(t, "word"))
			}
			return words
		}
		query := url.Values{"previous_status": some("previous_status"), "new_status": some("new_status")}
		task := rapid.SampledFrom([]int64{0, b.tasks[0]}).Draw(t, "only")
		if task != 0 {
			query.Set("task_id", fmt.Sprint(task))
		}
		descending := rapid.Bool().Draw(t, "descending")
		if descending {
			query.Set("order", "desc")
		}
		for range rapid.IntRange(0, 6).Draw(t, "moves") {
			move()
		}
		// What the audit says, without the database's help.
		wanted := func() (ids []int64) {
			var rows []jobmon.Transition
			for _, own := range f.audit(b.workflow) {
				rows = append(rows, own...)
			}
			slices.SortFunc(rows, func(a, b jobmon.Transition) int { return int(a.ID - b.ID) })
			slices.SortStableFunc(rows, func(a, b jobmon.Transition) int { return int(a.At - b.At) })
			among := func(words []string, status jobmon.TaskStatus) bool {
				return len(words) == 0 || slices.ContainsFunc(words, func(w string) bool {
					return w == status.String() || strings.EqualFold(w, status.Name())
				})
			}
			for _, row := range rows {
				if among(query["previous_status"], row.From) && among(query["new_status"], row.To) && (task == 0 || row.TaskID == task) {
					ids = append(ids, row.ID)
				}
			}
			if descending {
				slices.Reverse(ids)
			}
			return ids
		}
		before := wanted()
		var got []int64
		for {
			// Another limit is no other query, nor is a filter whose values are given twice or the other way round.
			query.Set("limit", fmt.Sprint(rapid.IntRange(1, 40).Draw(t, "limit")))
			if statuses := query["new_status"]; len(statuses) > 0 {
				slices.Reverse(statuses)
				query.Add("new_status", statuses[0])
			}
			page := f.changes(changesPath(b.workflow), query)
			for _, change := range page.Changes {
				got = append(got, change.ID)
			}
			if page.NextCursor == nil {
				break
			}
			query.Set("cursor", *page.NextCursor)
			if rapid.IntRange(0, 3).Draw(t, "arrives") == 0 {
				move()
			}
		}
		want := before
		if !descending {
			want = wanted() // what arrived comes last
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v:\n got %v\nwant %v", query, got, want)
		}
	})
}

func TestChangesAfterRetention(t *testing.T) {
	f := newFixture(t)
	workflow := f.threeMinutes()
	path := changesPath(workflow)
	for _, most := range []int{0, 1, everyRow} {
		f.removeRows(workflow, noon.Add(time.Minute), most)
		for query, want := range map[string]int{"": 11, "?start=2025-05-27T12:01:00Z": 11, "?end=2025-05-27T12:01:15.1Z": 8} {
			got := f.send("GET", path+query, "").ok()
			if rows := at(t, got, "task_status_changes").([]any); len(rows) != want || at(t, got, "rows_from") != "2025-05-27T12:01:00Z" {
				t.Errorf("%q: %d rows, from %v; want %d", query, len(rows), at(t, got, "rows_from"), want)
			}
		}
	}
	f.check([]refusal{
		{"GET", path + "?start=2025-05-27T12:00:59.999999Z", "", 400, "invalid", "start", "rows_from, 2025-05-27T12:01:00Z"},
		{"GET", path + "?end=2025-05-27T12:01:00Z", "", 400, "invalid", "end", "rows_from, 2025-05-27T12:01:00Z"},
	})
}

func TestBadRequestsForChanges(t *testing.T) {
	f := newFixture(t)
	b, other := f.bind("bad", 2), f.bind("other", 1)
	path := changesPath(b.workflow)
	f.check([]refusal{
		{"GET", changesPath(999), "", 404, "not_found", "", "999"},
		{"GET", changesPath(0), "", 400, "invalid", "workflow_id", "from 1"},
		{"GET", path + "?start=yesterday", "", 400, "invalid", "start", "2022-05-13T03:24:00Z"},
		{"GET", path + "?end=1969-12-31T23:00:00Z", "", 400, "invalid", "end", "1970"},
		{"GET", path + "?start=2022-05-13T04:00:00Z&end=2022-05-13T04:00:00Z", "", 400, "invalid", "end", "after start"},
		{"GET", path + "?start=2022-05-13T04:00:00Z&start=2022-05-13T04:00:00Z", "", 400, "invalid", "start", "once"},
		{"GET", path + "?task_id=x", "", 400, "invalid", "task_id", "whole number"},
		{"GET", path + "?task_id=999", "", 400, "invalid", "task_id", "has no task 999"},
		{"GET", path + fmt.Sprint("?task_id=", other.tasks[0]), "", 400, "invalid", "task_id", "has no task"},
		{"GET", path + "?task_template_name=nobody", "", 400, "invalid", "task_template_name", "nobody"},
		{"GET", path + "?previous_status=BUSY", "", 400, "invalid", "previous_status", "R (RUNNING)"},
		{"GET", path + "?previous_status=", "", 400, "invalid", "previous_status", "R (RUNNING)"},
		{"GET", path + "?new_status=R&new_status=PENDING", "", 400, "invalid", "new_status", "R (RUNNING)"},
		{"GET", path + "?order=up", "", 400, "invalid", "order", "asc, desc"},
		{"GET", path + "?limit=0", "", 400, "invalid", "limit", "1 to 1000"},
		{"GET", path + "?limit=1001", "", 400, "invalid", "limit", "1 to 1000"},
		{"GET", path + "?limit=ten", "", 400, "invalid", "limit", "1 to 1000"},
		{"GET", path + "?status=R", "", 400, "invalid", "status", "new_status"},
	})
	f.queue(b)
	next := f.changes(path, url.Values{"limit": {"1"}}).NextCursor
	if next == nil {
		t.Fatal("there is no second page")
	}
	f.send("GET", path+"?order=asc&cursor="+*next, "").ok() // the same query
	for _, query := range []string{
		"order=desc", "new_status=G", "previous_status=G", "start=2022-05-13T04:00:00Z", "end=2099-05-13T04:00:00Z",
		"task_template_name=sleep", fmt.Sprint("task_id=", b.tasks[0]),
	} {
		f.check([]refusal{{"GET", path + "?" + query + "&cursor=" + *next, "", 400, "invalid", "cursor", "another query"}})
	}
	f.check([]refusal{{"GET", changesPath(other.workflow) + "?cursor=" + *next, "", 400, "invalid", "cursor", "another query"}})
	content, err := base64.RawURLEncoding.DecodeString(*next)
	if err != nil {
		t.Fatal(err)
	}
	for i := range content {
		changed := slices.Clone(content)
		changed[i] ^= 1
		f.check([]refusal{{"GET", path + "?cursor=" + base64.RawURLEncoding.EncodeToString(changed), "", 400, "invalid", "cursor", "damaged"}})
	}
	// What was made up with care, or by another version, is refused too.
	sealed := func(content []byte) string {
		return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(content, crc32.ChecksumIEEE(content)))
	}
	inside := content[:len(content)-4]
	newer, beyond := slices.Clone(inside), slices.Clone(inside)
	newer[0]++
	beyond[9] = 0x7f // the instant
	f.check([]refusal{
		{"GET", path + "?cursor=" + sealed(newer), "", 400, "invalid", "cursor", "another version"},
		{"GET", path + "?cursor=" + sealed(slices.Clone(inside[:len(inside)-8])), "", 400, "invalid", "cursor", "damaged"},
		{"GET", path + "?cursor=" + sealed(slices.Clone(inside[:1])), "", 400, "invalid", "cursor", "damaged"},
		{"GET", path + "?cursor=" + sealed(beyond), "", 400, "invalid", "", "1970 to 9999"},
	})
	for _, cursor := range []string{"12", "x", "%20", "=", (*next)[1:], (*next)[:len(*next)-1], *next + "A", *next + *next, strings.Repeat("A", 4000)} {
		f.check([]refusal{{"GET", path + "?cursor=" + cursor, "", 400, "invalid", "cursor", "damaged"}})
	}
}
