package api_test

import (
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"tasktide/internal/auth"
	"tasktide/internal/upkeep"
)

// requests is how many there are in TestRandomRequestsOfAnAdmin. Each test run makes few, since they change a database
// under the race detector. These are 100,000:
//
//	go test ./internal/api -run TestRandomRequestsOfAnAdmin -requests 100000 -timeout 30m
var requests = flag.Int("requests", 4_000, "how many random requests an admin makes")

// operation is one of the document.
type operation struct {
	method, pattern string
	query           []string
}

func operationsOf(doc *openapi3.T) (all []operation) {
	for pattern, item := range doc.Paths.Map() {
		for method, documented := range item.Operations() {
			o := operation{method: method, pattern: pattern}
			for _, parameter := range documented.Parameters {
				if parameter.Value.In == openapi3.ParameterInQuery {
					o.query = append(o.query, parameter.Value.Name)
				}
			}
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.pattern+a.method, b.pattern+b.method) })
	return all
}

// guess draws requests that are right, or nearly.
type guess struct{ *rand.Rand }

func (g guess) of(texts ...string) string { return texts[g.IntN(len(texts))] }

// id is mostly one that is there: a database gives them in order.
func (g guess) id() string {
	if g.IntN(20) == 0 {
		return g.of("0", "-1", "4611686018427387904", "99999999999999999999", "x", "%00", "1e3")
	}
	return fmt.Sprint(1 + g.IntN(20))
}

var (
	number = regexp.MustCompile(`\b\d+\b`)
	letter = regexp.MustCompile(`(status|new_status|error_state)": "\w"`)
)

func (g guess) body(o operation) string {
	_, name, _ := strings.Cut(o.pattern, "/api/v")
	_, name, _ = strings.Cut(name, "/")
	body := seed(o.method + " /api/v3/" + placeholder.ReplaceAllString(name, "1"))
	body = number.ReplaceAllStringFunc(body, func(old string) string {
		if g.IntN(3) == 0 {
			return old
		}
		return fmt.Sprint(1 + g.IntN(20))
	})
	body = letter.ReplaceAllStringFunc(body, func(old string) string {
		return old[:len(old)-2] + g.of(strings.Split("GQIORDEFABHTUWZK", "")...) + `"`
	})
	if g.IntN(10) == 0 {
		body = strings.Replace(body, `"task_ids": [1]`, `"task_ids": "all"`, 1)
	}
	if g.IntN(30) == 0 && body != "" {
		body = body[:g.IntN(len(body))] + g.of("", "\x00", "null", "}", `"`, "\xff")
	}
	return body
}

func (g guess) request(o operation) *http.Request {
	path := placeholder.ReplaceAllStringFunc(o.pattern, func(string) string { return g.id() })
	if strings.Contains(o.pattern, "/cluster/") && g.IntN(2) == 0 {
		path = strings.NewReplacer("{cluster_name}", "sequential", "{cluster_id}", "3", "{queue_name}", "null.q").Replace(o.pattern)
	}
	query := url.Values{}
	for _, name := range o.query {
		if name != "with" && g.IntN(3) > 0 {
			continue
		}
		now := time.Now().UTC()
		query.Set(name, map[string]string{
			"with": g.id(), "task_id": g.id(), "limit": g.of("1", "7", "0"), "status": g.of("R", "ACTIVE", "PENDING", "D", "?"),
			"time_range": g.of("all", "1h", "24h", "7d"), "granularity": g.of("auto", "minute", "1h", "1s"), "stat": g.of("mean", "peak", "start", "entered"),
			"format": g.of("rows", "columns", "csv"), "start": now.Add(-time.Hour).Format(time.RFC3339), "end": now.Format(time.RFC3339),
			"at": now.Add(-time.Duration(g.IntN(100)) * time.Second).Format(time.RFC3339), "cursor": g.of("", "x", "AQAA"),
		}[name])
		if query.Get(name) == "" || g.IntN(5) == 0 {
			query.Set(name, example(name))
		}
	}
	target := path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	body := ""
	if o.method != http.MethodGet {
		body = g.body(o)
	}
	return httptest.NewRequest(o.method, target, strings.NewReader(body))
}

// step is a move that a task may well make next.
func (g guess) step(b bound) *http.Request {
	task, instance := b.tasks[g.IntN(len(b.tasks))], 1+g.IntN(60)
	move := [][3]string{
		{"PUT", "/task/update_statuses", fmt.Sprintf(`{"workflow_id": %d, "task_ids": [%d], "new_status": %q}`, b.workflow, task, g.of("G", "D"))},
		{"POST", fmt.Sprintf("/array/%d/queue_task_batch", b.array),
			fmt.Sprintf(`{"task_ids": [%d], "task_resources_id": %d, "workflow_run_id": %d}`, task, b.resources, b.run)},
		{"POST", "/task_instance/instantiate_task_instances", fmt.Sprintf(`{"task_instance_ids": [%d, %d]}`, instance, instance+1)},
		{"POST", fmt.Sprintf("/task_instance/%d/log_running", instance), `{"next_report_increment": 90}`},
		{"POST", fmt.Sprintf("/task_instance/%d/log_done", instance), `{}`},
		{"POST", fmt.Sprintf("/task_instance/%d/log_error_worker_node", instance), `{"error_state": "E", "error_description": "d"}`},
	}[g.IntN(6)]
	return httptest.NewRequest(move[0], g.of("/api/v2", "/api/v3")+move[1], strings.NewReader(move[2]))
}

// TestRandomRequestsOfAnAdmin has somebody who may do everything do everything, right or nearly so and several things
// at once: nothing fails, and what is left is whole.
func TestRandomRequestsOfAnAdmin(t *testing.T) {
	g := newGuarded(t, "members")
	g.header = g.token("root", auth.ScopeAdmin)
	var known []bound
	for i := range 4 {
		known = append(known, g.bindAs(fmt.Sprint("random ", i), "root", 4))
	}
	g.queue(known[0])
	before := g.rows()
	all := operationsOf(g.doc)
	var mu sync.Mutex
	done := map[string]int{}
	const callers = 8
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			chance := guess{rand.New(rand.NewPCG(7, uint64(caller)))}
			for range *requests / callers {
				var request *http.Request
				o := all[chance.IntN(len(all))]
				if chance.IntN(3) == 0 {
					o = operation{}
					request = chance.step(known[chance.IntN(len(known))])
				} else {
					request = chance.request(o)
				}
				request.Header.Set(g.header[0], g.header[1])
				w := httptest.NewRecorder()
				g.mux.ServeHTTP(w, request)
				if w.Code >= http.StatusInternalServerError {
					t.Errorf("%s %s: %d %.300s", request.Method, request.URL, w.Code, w.Body)
				}
				mu.Lock()
				if w.Code < 300 {
					done[o.method+" "+o.pattern]++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if len(done) < 3*len(all)/4 {
		t.Errorf("only %d of %d routes ever did what they were asked for", len(done), len(all))
	}
	if moved := g.rows() - before; moved < int64(*requests)/50 {
		t.Errorf("only %d transitions came of %d requests", moved, *requests)
	}
	log := slog.New(slog.NewTextHandler(g.log, nil))
	if err := upkeep.NewRollUp(g.store, log).Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := upkeep.NewVerifier(g.store, log).All(t.Context(), func(time.Duration) error { return nil })
	if err != nil || report.Found > 0 || report.Tasks == 0 || report.Covered != report.Tasks {
		t.Errorf("%+v %v", report, err)
	}
	t.Logf("%d routes did what they were asked for, and there are %d rows of %d tasks", len(done), report.Rows, report.Tasks)
}

// rows counts the audit of all workflows.
func (g guarded) rows() int64 {
	g.t.Helper()
	report, err := upkeep.NewVerifier(g.store, slog.New(slog.DiscardHandler)).All(g.t.Context(), func(time.Duration) error { return nil })
	if err != nil {
		g.t.Fatal(err)
	}
	return report.Rows
}
