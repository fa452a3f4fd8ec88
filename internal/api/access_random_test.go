package api_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRandomRequestsOfNobody sends what somebody sends who has no login and tries everything: nothing fails, nothing
// is told and nothing changes.
func TestRandomRequestsOfNobody(t *testing.T) {
	g := newGuarded(t, "members")
	b := g.bind("random", 3)
	instances := g.queue(b)
	before := g.transitions(b.workflow)
	good := g.session("ada")[3]
	ids := append(append(append([]int64{b.workflow, b.run, b.array, 0, -1, 1 << 62}, b.tasks...), instances...), 4711)
	type route struct{ method, pattern string }
	var all []route
	walk(t, g.mux, func(method, pattern string) { all = append(all, route{method, pattern}) })
	all = append(all, route{"GET", "/api/v2/{x}"}, route{"DELETE", "/api/v2/workflow/{x}"}, route{"PATCH", "/{x}"})
	chance := rand.New(rand.NewPCG(1, 2))
	pick := func(texts ...string) string { return texts[chance.IntN(len(texts))] }
	junk := func() string {
		data := make([]byte, chance.IntN(60))
		for i := range data {
			data[i] = byte(chance.Uint32())
		}
		return string(data)
	}
	const requests = 100_000
	for range requests {
		r := all[chance.IntN(len(all))]
		path := placeholder.ReplaceAllStringFunc(r.pattern, func(string) string { return fmt.Sprint(ids[chance.IntN(len(ids))]) })
		body := pick("", "{}", "[", `{"workflow_id": 1, "task_ids": "all", "new_status": "D"}`, `{"status": "D"}`, junk())
		request := httptest.NewRequest(r.method, "http://tasktide.example"+path+pick("", "?format=csv", "?%zz", "?time_range=all&format=columns"), strings.NewReader(body))
		switch chance.IntN(4) {
		case 0:
			cut := chance.IntN(len(good))
			request.Header.Set("Cookie", good[:cut]+pick("", ".", "x", junk(), strings.Repeat("x", 5000)))
		case 1:
			request.Header.Set("Authorization", pick("Bearer ", "Basic ", "")+pick("", "tasktide_"+strings.Repeat("A", 43), junk()))
		case 2:
			request.Header.Set("If-None-Match", "*")
		}
		w := httptest.NewRecorder()
		g.mux.ServeHTTP(w, request)
		open := path == "/healthz" || path == "/readyz" || path == "/api/openapi.json" || path == "/api/v2/server" ||
			path == "/api/auth/oidc/logout" || path == "/docs" || path == "/docs/*"
		if w.Code >= http.StatusInternalServerError || w.Code < 300 && !open || w.Code == http.StatusNotModified {
			t.Fatalf("%s %s, %q, %v: %d %.300s", r.method, request.URL, body, request.Header, w.Code, w.Body)
		}
	}
	if after := g.transitions(b.workflow); after != before {
		t.Errorf("something changed: %s", after)
	}
	g.checkAudit(b.workflow)
}

// transitions tells all that became of a workflow's tasks.
func (g guarded) transitions(workflowID int64) string {
	g.t.Helper()
	return string(g.send("GET", fmt.Sprintf("/api/v2/workflow/%d/task_status_changes?limit=1000", workflowID), "", g.session("ada")...).body)
}
