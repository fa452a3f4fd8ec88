package api_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tasktide/internal/api"
	"tasktide/internal/auth"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

const secret = "test-secret-key-not-for-production"

// guarded is a fixture that asks who one is: owners and analysts may see a workflow, owners change it, and ops do
// both. It sends as ada's client.
type guarded struct {
	*fixture
	cookies *auth.Cookies
}

func newGuarded(t *testing.T, readers string) guarded {
	t.Helper()
	return newGuardedBy(t, readers, loginAt(t, "http://127.0.0.1:1"))
}

func newGuardedBy(t *testing.T, readers string, login *api.Login) guarded {
	t.Helper()
	cookies := auth.NewCookies(secret)
	f := newFixture(t, func(config *api.Config) {
		config.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		config.Docs = config.Metrics
		config.Guard = &api.Guard{Cookies: cookies, Tokens: config.Catalog.(store.Tokens), Login: login}
		policy := &config.Guard.Policy
		if policy.Readers.UnmarshalText([]byte(readers)) != nil || policy.Admins.UnmarshalText([]byte("group:ops")) != nil {
			t.Fatal("not a policy")
		}
	})
	g := guarded{f, cookies}
	f.header = g.token("ada", auth.ScopeState)
	return g
}

func (g guarded) token(user string, scopes ...auth.Scope) []string {
	g.t.Helper()
	return g.tokenUntil(time.Now().Add(time.Hour), user, scopes...)
}

func (g guarded) tokenUntil(until time.Time, user string, scopes ...auth.Scope) []string {
	g.t.Helper()
	var names []string
	for _, scope := range scopes {
		names = append(names, string(scope))
	}
	token, stored, err := auth.NewToken("test", user, names, until.Add(-2*time.Hour), until)
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.store.AddToken(g.t.Context(), stored); err != nil {
		g.t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + token}
}

func (g guarded) session(user string, groups ...string) []string {
	g.t.Helper()
	return g.cookie(string(g.user(user, groups...)), time.Now())
}

// user is what JobMon keeps of a user.
func (g guarded) user(user string, groups ...string) []byte {
	g.t.Helper()
	told, _ := json.Marshal(map[string]any{
		"sub": user, "email": user + "@example.org", "preferred_username": user, "name": user, "updated_at": 1, "given_name": "",
		"family_name": "", "groups": append([]string{}, groups...), "nonce": "", "at_hash": "", "sid": "", "aud": "", "exp": 1, "iat": 1, "iss": "",
	})
	return told
}

func (g guarded) cookie(user string, at time.Time) []string {
	g.t.Helper()
	value, err := g.cookies.Sign(auth.Session{"user": json.RawMessage(user)}, at)
	if err != nil {
		g.t.Fatal(err)
	}
	// The token of the fixture must not speak for it.
	return []string{"Authorization", "", "Cookie", "session=" + value}
}

var nobody = []string{"Authorization", ""}

// roles are the columns of the table below.
var roles = []string{
	"anonymous", "stranger", "owner", "group", "admin",
	"read token", "state token", "admin token", "stranger's read token", "stranger's state token",
}

// kinds say what becomes of a request by the one who makes it, 0 for whatever an answer without any rule is.
var kinds = map[string][]int{
	"greets":             {0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	"tells who it is":    {401, 0, 0, 0, 0, 403, 403, 403, 403, 403},
	"reads":              {401, 0, 0, 0, 0, 0, 403, 0, 0, 403},
	"reads a workflow":   {401, 404, 0, 0, 0, 0, 403, 0, 404, 403},
	"changes a workflow": {401, 404, 0, 403, 0, 403, 0, 0, 403, 404},
	"defines":            {401, 403, 403, 403, 403, 403, 0, 0, 403, 0},
	"binds a workflow":   {401, 403, 403, 403, 403, 403, 0, 0, 403, 403},
	"drives a workflow":  {401, 403, 403, 403, 403, 403, 0, 0, 403, 404},
}

// routeKinds has a row for each route, JobMon's without their prefix.
var routeKinds = map[string]string{
	"GET /readyz":                         "greets",
	"GET /metrics":                        "reads",
	"GET /healthz":                        "greets",
	"GET /docs":                           "greets",
	"HEAD /docs":                          "greets",
	"GET /docs/*":                         "greets",
	"HEAD /docs/*":                        "greets",
	"GET /api/openapi.json":               "greets",
	"GET /api/v2/server":                  "greets",
	"GET /api/auth/oidc/login":            "greets",
	"GET /api/auth/oidc/auth":             "greets",
	"POST /api/auth/oidc/logout":          "greets",
	"GET /api/auth/oidc/userinfo":         "tells who it is",
	"GET /api/v2/health":                  "reads",
	"GET /api/v2/telemetry":               "reads",
	"POST /api/v2/telemetry":              "reads",
	"GET /api/v2/workflows":               "reads",
	"GET /api/v2/workflows/{workflow_id}": "reads a workflow",
	"GET /api/v2/workflow/{workflow_id}/task_templates":      "reads a workflow",
	"GET /api/v2/workflow/{workflow_id}/task_concurrency":    "reads a workflow",
	"GET /api/v2/workflow/{workflow_id}/task_status_changes": "reads a workflow",
	"GET /api/v2/task/{task_id}/status_history":              "reads a workflow",
	"GET /api/v2/workflow/{workflow_id}/tasks":               "reads a workflow",
	"GET /api/v2/workflow/{workflow_id}/compare":             "reads a workflow",
	"GET /api/v2/workflow/{workflow_id}/templates":           "reads a workflow",
	"GET /api/v2/workflow/{workflow_id}/suspects":            "reads a workflow",

	"POST /task/{workflow_id}/set_resume_state": "changes a workflow",
	"PUT /task/update_statuses":                 "changes a workflow",
	"PUT /workflow/{workflow_id}/reset":         "changes a workflow",

	"POST /tool":                        "defines",
	"GET /tool/{tool_id}/tool_versions": "defines",
	"POST /tool_version":                "defines",
	"GET /tool_version/{tool_version_id}/task_templates": "defines",
	"POST /task_template":                                "defines",
	"GET /task_template/{task_template_id}/versions":     "defines",
	"POST /task_template/{task_template_id}/add_version": "defines",
	"GET /cluster/{cluster_name}":                        "defines",
	"GET /cluster/{cluster_id}/queue/{queue_name}":       "defines",
	"GET /workflow/{workflow_args_hash}":                 "defines",
	"POST /nodes":                                        "defines",
	"POST /dag":                                          "defines",
	"POST /dag/{dag_id}/edges":                           "defines",
	"POST /workflow":                                     "binds a workflow",
	"POST /array":                                        "drives a workflow",
	"POST /task/bind_resources":                          "defines",
	"PUT /task/bind_tasks_no_args":                       "drives a workflow",
	"POST /workflow_run":                                 "drives a workflow",
	"PUT /workflow_run/{workflow_run_id}/update_status":  "drives a workflow",
	"POST /workflow_run/{workflow_run_id}/sync_status":   "drives a workflow",
	"POST /workflow_run/{workflow_run_id}/log_heartbeat": "drives a workflow",
	"GET /time": "defines",
	"POST /array/{array_id}/queue_task_batch":                      "drives a workflow",
	"POST /task_instance/instantiate_task_instances":               "drives a workflow",
	"POST /array/{array_id}/transition_to_launched":                "drives a workflow",
	"POST /array/{array_id}/transition_to_killed":                  "drives a workflow",
	"POST /task_instance/{task_instance_id}/log_running":           "drives a workflow",
	"POST /task_instance/{task_instance_id}/log_done":              "drives a workflow",
	"POST /task_instance/{task_instance_id}/log_error_worker_node": "drives a workflow",
}

// TestEveryRouteForEverybody asks each route as each of them. A route without a row fails it.
func TestEveryRouteForEverybody(t *testing.T) {
	g := newGuarded(t, "group:analysts")
	b := g.bind("guarded", 2)
	instances := g.queue(b)
	who := [][]string{
		nobody, g.session("bob"), g.session("ada"), g.session("carl", "analysts"), g.session("root", "x", "ops"),
		g.token("ada", auth.ScopeRead), g.header, g.token("robot", auth.ScopeAdmin),
		g.token("bob", auth.ScopeRead), g.token("bob", auth.ScopeState),
	}
	paths := strings.NewReplacer(
		"{workflow_id}", fmt.Sprint(b.workflow), "{task_id}", fmt.Sprint(b.tasks[0]), "{tool_id}", "1",
		"{tool_version_id}", fmt.Sprint(b.toolVersion), "{task_template_id}", fmt.Sprint(b.template),
		"{cluster_name}", "sequential", "{cluster_id}", "3", "{queue_name}", "null.q", "{workflow_args_hash}", hash78,
		"{dag_id}", fmt.Sprint(b.dag), "{workflow_run_id}", fmt.Sprint(b.run), "{array_id}", fmt.Sprint(b.array),
		"{task_instance_id}", fmt.Sprint(instances[0]),
	)
	bodies := map[string]string{
		"POST /api/v2/telemetry":                             `{}`,
		"POST /task/{workflow_id}/set_resume_state":          `{"reset_if_running": false}`,
		"PUT /task/update_statuses":                          fmt.Sprintf(`{"workflow_id": %d, "task_ids": [], "new_status": "D"}`, b.workflow),
		"PUT /workflow/{workflow_id}/reset":                  `{"partial_reset": true}`,
		"POST /tool":                                         `{"name": "guarded"}`,
		"POST /tool_version":                                 `{"tool_id": 1}`,
		"POST /task_template":                                fmt.Sprintf(`{"tool_version_id": %d, "task_template_name": "sleep"}`, b.toolVersion),
		"POST /task_template/{task_template_id}/add_version": `{"command_template": "c", "arg_mapping_hash": 1, "node_args": [], "task_args": [], "op_args": []}`,
		"POST /nodes":                                        `{"nodes": []}`,
		"POST /dag":                                          `{"dag_hash": 77001}`,
		"POST /dag/{dag_id}/edges":                           `{"edges_to_add": [], "mark_created": false}`,
		"POST /workflow": fmt.Sprintf(`{"tool_version_id": %d, "dag_id": %d, "workflow_args_hash": %s, "task_hash": %s, "description": null,
			"name": "n", "workflow_args": null, "max_concurrently_running": 3, "workflow_attributes": {}}`, b.toolVersion, b.dag, hash78, taskHash78),
		"POST /array":                                                  fmt.Sprintf(`{"task_template_version_id": %d, "workflow_id": %d, "max_concurrently_running": 2, "name": null}`, b.templateVersion, b.workflow),
		"POST /task/bind_resources":                                    `{"queue_id": null, "task_resources_type_id": "O", "requested_resources": {}}`,
		"PUT /task/bind_tasks_no_args":                                 fmt.Sprintf(`{"workflow_id": %d, "tasks": {}, "mark_created": true}`, b.workflow),
		"POST /workflow_run":                                           fmt.Sprintf(`{"workflow_id": %d, "user": "ada", "jobmon_version": "3", "next_report_increment": 1}`, b.workflow),
		"PUT /workflow_run/{workflow_run_id}/update_status":            `{"status": "R"}`,
		"POST /workflow_run/{workflow_run_id}/sync_status":             fmt.Sprintf(`{"task_instance_ids": %s, "status": "Q"}`, list(instances)),
		"POST /workflow_run/{workflow_run_id}/log_heartbeat":           `{"status": "R", "next_report_increment": 90}`,
		"POST /array/{array_id}/queue_task_batch":                      g.queueBody(b),
		"POST /task_instance/instantiate_task_instances":               fmt.Sprintf(`{"task_instance_ids": %s}`, list(instances)),
		"POST /array/{array_id}/transition_to_launched":                `{"batch_number": 1, "next_report_increment": 279.0}`,
		"POST /array/{array_id}/transition_to_killed":                  `{"batch_number": 9}`,
		"POST /task_instance/{task_instance_id}/log_running":           `{"next_report_increment": 279.0}`,
		"POST /task_instance/{task_instance_id}/log_done":              `{}`,
		"POST /task_instance/{task_instance_id}/log_error_worker_node": `{"error_state": "E", "error_description": "boom"}`,
	}
	walk(t, g.mux, func(method, pattern string) {
		name := method + " " + pattern
		if _, own := routeKinds[name]; !own {
			name = strings.Replace(strings.Replace(name, " /api/v3", " ", 1), " /api/v2", " ", 1)
		}
		kind, has := routeKinds[name]
		if !has {
			t.Errorf("%s %s has no row: who may call it?", method, pattern)
			return
		}
		path := paths.Replace(pattern)
		if strings.HasSuffix(path, "/compare") {
			path += fmt.Sprintf("?with=%d", b.workflow)
		}
		// Whoever may not goes first: a task is done only once.
		order := []int{0, 1, 8, 9, 3, 5, 2, 6, 4, 7}
		for _, i := range order {
			got, want := g.send(method, path, bodies[name], who[i]...), kinds[kind][i]
			allowed := want == 0 && got.status < 500 && !slices.Contains([]int{400, 401, 403, 404}, got.status)
			if want != got.status && !allowed {
				t.Errorf("%s as %s: got %d, want %d: %.300s", got.what, roles[i], got.status, want, got.body)
			}
		}
	})
	g.checkAudit(b.workflow)
}

func TestWhatOneMayNotKnowOfIsAsIfItWereNotThere(t *testing.T) {
	g := newGuarded(t, "owners")
	b := g.bind("hidden", 1)
	instances := g.queue(b)
	bob, bobs := g.session("bob"), g.token("bob", auth.ScopeState)
	for _, c := range []struct {
		method, path, body string
		id                 int64
		header             []string
	}{
		{"GET", "/api/v2/workflows/%d", "", b.workflow, bob},
		{"GET", "/api/v2/workflow/%d/task_concurrency", "", b.workflow, bob},
		{"GET", "/api/v2/workflow/%d/task_concurrency?format=csv", "", b.workflow, bob},
		{"GET", "/api/v2/workflow/%d/task_status_changes", "", b.workflow, bob},
		{"GET", "/api/v2/task/%d/status_history", "", b.tasks[0], bob},
		{"PUT", "/api/v3/workflow/%d/reset", `{"partial_reset": true}`, b.workflow, bob},
		{"POST", "/api/v3/workflow_run/%d/log_heartbeat", `{"status": "R", "next_report_increment": 90}`, b.run, bobs},
		{"POST", "/api/v3/array/%d/transition_to_launched", `{"batch_number": 1, "next_report_increment": 9}`, b.array, bobs},
		{"POST", "/api/v3/task_instance/%d/log_done", `{}`, instances[0], bobs},
	} {
		const missing = 1 << 40
		header := append(slices.Clone(c.header), "Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")
		hidden := g.send(c.method, fmt.Sprintf(c.path, c.id), c.body, header...)
		absent := g.send(c.method, fmt.Sprintf(c.path, int64(missing)), c.body, header...)
		absent.refused(404, "not_found")
		if got := strings.ReplaceAll(string(hidden.body), fmt.Sprint(c.id), fmt.Sprint(missing)); got != string(absent.body) {
			t.Errorf("%s: %s, and if it were not there %s", hidden.what, hidden.body, absent.body)
		}
	}
	// Nor by what a request names beside a workflow of one's own.
	g.header = bobs
	own := g.bindAs("own", "bob", 1)
	for path, body := range map[string]string{
		fmt.Sprintf("/api/v3/array/%d/queue_task_batch", own.array): fmt.Sprintf(
			`{"task_ids": %s, "task_resources_id": %d, "workflow_run_id": %d, "cluster_id": 2}`, list(append(own.tasks, b.tasks...)), own.resources, own.run),
		fmt.Sprintf("/api/v3/workflow_run/%d/sync_status", own.run): fmt.Sprintf(`{"task_instance_ids": %s, "status": "Q"}`, list(instances)),
	} {
		g.send("POST", path, body).refused(404, "not_found")
	}
	g.send("GET", fmt.Sprintf("/api/v2/workflow/%d/compare?with=%d", own.workflow, b.workflow), "", bob...).refused(404, "not_found")
}

func TestAListShowsWhatOneMaySee(t *testing.T) {
	g := newGuarded(t, "group:analysts")
	adas := g.bind("first", 1)
	g.header = g.token("bob", auth.ScopeState)
	bobs := g.bindAs("second", "bob", 1)
	imported := g.load("imported", jobmon.TaskHistory{Name: "t", Template: "t", Moves: []jobmon.Move{{To: jobmon.TaskRegistering, At: 1}}})
	listed := func(query string, header []string) (ids []int64) {
		t.Helper()
		answer := g.send("GET", "/api/v2/workflows"+query, "", header...).ok()
		for i := range at(t, answer, "workflows").([]any) {
			ids = append(ids, id(t, answer, "workflows", i, "id"))
		}
		return ids
	}
	for name, c := range map[string]struct {
		header []string
		want   []int64
	}{
		"ada":      {g.session("ada"), []int64{adas.workflow}},
		"a token":  {g.token("bob", auth.ScopeRead), []int64{bobs.workflow}},
		"stranger": {g.session("eve"), nil},
		"group":    {g.session("carl", "analysts"), []int64{imported, bobs.workflow, adas.workflow}},
		"admin":    {g.session("root", "ops"), []int64{imported, bobs.workflow, adas.workflow}},
	} {
		if got := listed("", c.header); !slices.Equal(got, c.want) {
			t.Errorf("%s sees %v, want %v", name, got, c.want)
		}
	}
	if got := listed("?limit=1", g.session("ada")); !slices.Equal(got, []int64{adas.workflow}) {
		t.Errorf("a page is filled with what may be seen: %v", got)
	}
	// What a client compares its own workflow with.
	matches := func(header []string) int {
		return len(at(t, g.send("GET", "/api/v3/workflow/"+hash78, "", header...).ok(), "matching_workflows").([]any))
	}
	if ada, robot := matches(g.token("ada", auth.ScopeState)), matches(g.token("robot", auth.ScopeAdmin)); ada != 1 || robot != 2 {
		t.Errorf("ada's client sees %d workflows, an administrator's %d", ada, robot)
	}
}

func TestAnETagOpensNothing(t *testing.T) {
	g := newGuarded(t, "owners")
	b := g.bind("cached", 1)
	path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?time_range=all&format=columns", b.workflow)
	first := g.send("GET", path, "", g.session("ada")...)
	first.ok()
	tag := []string{"If-None-Match", first.header.Get("ETag")}
	if again := g.send("GET", path, "", append(g.session("ada"), tag...)...); again.status != http.StatusNotModified ||
		again.header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("the owner gets %d, %v", again.status, again.header)
	}
	g.send("GET", path, "", append(g.session("bob"), tag...)...).refused(404, "not_found")
	g.send("GET", path, "", append(slices.Clone(nobody), tag...)...).refused(401, "unauthenticated")
}

func TestARunIsInOnesOwnName(t *testing.T) {
	g := newGuarded(t, "everyone")
	b := g.bind("named", 1)
	run := func(user string) string {
		return fmt.Sprintf(`{"workflow_id": %d, "user": %q, "jobmon_version": "3", "next_report_increment": 1}`, b.workflow, user)
	}
	for _, user := range []string{"bob", "Ada", ""} {
		refusal := g.send("POST", "/api/v3/workflow_run", run(user)).refused(403, "forbidden")
		if !strings.Contains(refusal.Message, "ada") {
			t.Errorf("%q", refusal.Message)
		}
	}
	refusal := g.send("POST", "/api/v3/workflow_run", run("bob"), g.token("bob", auth.ScopeState)...).refused(403, "forbidden")
	for _, said := range []string{"ada", "group:ops"} {
		if !strings.Contains(refusal.Message, said) {
			t.Errorf("%q does not say to ask %s", refusal.Message, said)
		}
	}
	g.send("POST", "/api/v3/workflow_run", run("bob"), g.token("robot", auth.ScopeAdmin)...).ok()
}

func TestWhatEverybodyMaySee(t *testing.T) {
	g := newGuarded(t, "everyone")
	b := g.bind("open", 1)
	path := fmt.Sprintf("/api/v2/workflow/%d/task_templates", b.workflow)
	for _, header := range [][]string{nobody, g.session("bob"), g.token("bob", auth.ScopeRead)} {
		g.send("GET", path, "", header...).ok()
		g.send("GET", "/api/v2/workflows", "", header...).ok()
	}
	reset := fmt.Sprintf("/api/v3/workflow/%d/reset", b.workflow)
	unauthenticated := g.send("PUT", reset, `{"partial_reset": true}`, nobody...)
	unauthenticated.refused(401, "unauthenticated")
	if got := unauthenticated.header.Get("WWW-Authenticate"); got != `Bearer realm="tasktide"` {
		t.Errorf("a browser would ask for a password: %q", got)
	}
	g.send("PUT", reset, `{"partial_reset": true}`, g.session("bob")...).refused(403, "forbidden")
	other := append(g.session("ada"), "Sec-Fetch-Site", "cross-site", "Origin", "https://example.net")
	g.send("PUT", reset, `{"partial_reset": true}`, other...).refused(400, "invalid")
}

func TestCredentialsThatAreNotAccepted(t *testing.T) {
	g := newGuarded(t, "members")
	now := time.Now()
	good, token := g.session("ada")[3], g.token("ada", auth.ScopeRead)[1]
	cookie := func(value string) []string { return []string{"Authorization", "", "Cookie", value} }
	authorization := func(value string) []string { return []string{"Authorization", value} }
	g.send("GET", "/api/v2/workflows", "", cookie(good)...).ok()
	for name, header := range map[string][]string{
		"basic, password": authorization("Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+token[len("Bearer "):]))),
		"basic, user":     authorization("Basic " + base64.StdEncoding.EncodeToString([]byte(token[len("Bearer "):]+":"))),
		"bearer":          authorization("bearer " + token[len("Bearer "):]),
		"a proxy's own":   {"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("proxy:password")), "Cookie", good},
		"the last cookie": cookie("session=x; " + good),
	} {
		if got := g.send("GET", "/api/v2/workflows", "", header...); got.status != 200 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for name, header := range map[string][]string{
		"forged":               cookie(good + "x"),
		"truncated":            cookie(good[:len(good)/2]),
		"empty":                cookie("session="),
		"oversized":            cookie(good + strings.Repeat("x", 5000)),
		"future":               g.cookie(`{}`, now.Add(time.Hour)),
		"expired":              g.cookie(`{}`, now.Add(-auth.CookieMaxAge-time.Minute)),
		"unknown token":        authorization(token[:len(token)-2] + "xx"),
		"expired token":        g.tokenUntil(now, "ada", auth.ScopeRead),
		"beside a good cookie": {"Authorization", token[:len(token)-2] + "xx", "Cookie", good},
	} {
		g.log.Reset()
		g.send("GET", "/api/v2/workflows", "", header...).refused(401, "unauthenticated")
		want := 1
		if strings.HasPrefix(name, "expired") {
			want = 0 // at a level that is not shown
		}
		if got := strings.Count(g.log.String(), "credentials are not accepted"); got != want || strings.Count(g.log.String(), "\n") != want {
			t.Errorf("%s: logged %d times: %s", name, got, g.log)
		}
		for _, value := range header {
			if len(value) > 20 && strings.Contains(g.log.String(), value[len(value)/2:]) {
				t.Errorf("%s: the log has the value: %s", name, g.log)
			}
		}
		g.send("GET", "/api/v2/server", "", header...).ok()
	}
	g.send("GET", "/api/v2/workflows", "", g.cookie(`{"email": "ada@example.org"}`, now)...).refused(403, "forbidden")
	g.send("GET", "/api/v2/workflows", "", g.cookie(`{}`, now)...).refused(401, "unauthenticated")
}
