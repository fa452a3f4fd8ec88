// Package api is the HTTP interface: the read routes of Tasktide and the state routes of JobMon. It
// knows which route means what, how requests are read and answers written, and which status code an
// error becomes; what a request does is the business of the ledger, the timeline and the store.
//
// Every handler is a function from a request type to an answer type. Reading, writing and errors
// happen in one place, [handle].
package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"tasktide/internal/auth"
	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/limit"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
)

// Config is what the interface is made of. The first six fields are required.
type Config struct {
	Catalog  store.Catalog
	Reader   store.Reader
	Ledger   *ledger.Ledger
	Timeline *timeline.Timeline
	// Health tells how the server and its upkeep are.
	Health func(ctx context.Context) (Health, error)
	// Ready returns nil when the server can do its work, and otherwise CodeUnavailable with a field that names
	// the check that failed.
	Ready func(ctx context.Context) error

	// Pages is where the list of workflows is read from. nil means Reader. So that pages do not keep JobMon's clients
	// waiting, it and the timeline may read in turns.
	Pages store.Reader

	// Guard says who may do what. nil lets everybody do everything.
	Guard *Guard

	// UI answers every GET outside the API. nil answers 404.
	UI http.Handler
	// Docs answers GET and HEAD for /docs and every path below it. nil leaves these paths to UI.
	Docs http.Handler
	// Version is what the server says of itself, such as v0.1.0.
	Version string
	// Demo tells the page that the data are made up.
	Demo bool
	// DatabaseURL is the database URL that an import on this machine needs, empty for the default database, and without
	// secrets. Everybody may read it; nil tells nobody.
	DatabaseURL *string
	// Telemetry is whether the server adds up what pages tell of how they are used.
	Telemetry bool
	// Usage is where it does. nil means one that nobody else reads.
	Usage *Usage
	// Metrics answers what Prometheus asks. nil answers 404.
	Metrics http.Handler
	// Observe hears of every request that was answered, unless it is nil.
	Observe func(Answered)
	// Refused hears of every request that was refused because of others, CodeBusy, or because its caller asks too often,
	// CodeTooManyRequests, unless it is nil.
	Refused func(jobmon.Code)
	// Log hears of panics and internal errors. nil means [slog.Default].
	Log *slog.Logger

	// MaxBodyBytes bounds the body of a request. 0 means 64 MiB: JobMon sends the whole fan-in of a
	// task in one body.
	MaxBodyBytes int64
	// StateTimeout bounds a state route. 0 means 15 s: JobMon's clients give up after 20 s and ask
	// again, while the first request still holds its locks.
	StateTimeout time.Duration
	// ReadTimeout bounds every other route. 0 means 30 s.
	ReadTimeout time.Duration
	// StateAtOnce is how many requests to state routes are worked on at once, ReadsAtOnce to the others, in which many
	// may wait for one. 0 means 512 and 64.
	StateAtOnce, ReadsAtOnce int
	// Rates bounds how often each caller may ask what is expensive. nil bounds nothing.
	Rates *limit.Rates
	// TrustedProxies are those whose X-Forwarded-For says who asks, where no user does. Otherwise it is the address that
	// a request comes from.
	TrustedProxies []netip.Prefix
	// TakeWait is how long a client may need for each part of an answer that is made while it is sent. 0 means 10 s.
	TakeWait time.Duration
	// TurnWait is how long the next one waits before it is refused as CodeBusy. 0 means 10 s.
	TurnWait time.Duration
}

// New returns the interface. It panics when the OpenAPI document that it serves is damaged, which no
// request can cause.
func New(config Config) http.Handler {
	config.Log = cmp.Or(config.Log, slog.Default())
	config.MaxBodyBytes = cmp.Or(config.MaxBodyBytes, 64<<20)
	config.StateTimeout = cmp.Or(config.StateTimeout, 15*time.Second)
	config.ReadTimeout = cmp.Or(config.ReadTimeout, 30*time.Second)
	config.StateAtOnce = cmp.Or(config.StateAtOnce, 512)
	config.ReadsAtOnce = cmp.Or(config.ReadsAtOnce, 64)
	config.TurnWait = cmp.Or(config.TurnWait, 10*time.Second)
	config.TakeWait = cmp.Or(config.TakeWait, 10*time.Second)
	config.Pages = cmp.Or(config.Pages, config.Reader)
	config.Usage = cmp.Or(config.Usage, NewUsage())
	s := &server{
		Config: config, document: servedDocument(),
		longBodies: limit.NewTurns(longBodies, config.TurnWait), logins: limit.NewTurns(loginsAtOnce, config.TurnWait),
	}
	return s.routes()
}

// longBodies is how many bodies of more than longBody bytes are read at once.
const longBodies = 8

// loginsAtOnce is for how many logins the provider is asked at once.
const loginsAtOnce = 16

type server struct {
	Config
	document   []byte
	longBodies *limit.Turns
	logins     *limit.Turns
}

// statePrefixes are the paths under which JobMon's clients look for the state routes: clients from
// 3.4.12 on use v3.
var statePrefixes = []string{"/api/v3", "/api/v2"}

// routes registers every route in one tree, because JobMon's paths need its precedence of literal
// segments: /workflow/get_tasks/{id} lies beside /workflow/{id}/reset.
func (s *server) routes() *chi.Mux {
	root := chi.NewRouter()
	root.Use(s.observe, s.recoverPanics, compressing, secureHeaders, s.identify, s.refuseCrossOrigin, s.refuseBadPath)
	root.NotFound(s.notFound)
	root.MethodNotAllowed(s.methodNotAllowed)
	root.Group(func(r chi.Router) {
		r.Use(deadline(s.ReadTimeout, nil), s.allow(auth.Greet))
		r.Get("/healthz", handle(s, strictQuery, s.alive))
		r.Get("/readyz", handle(s, strictQuery, s.ready))
		r.Get("/api/openapi.json", handle(s, strictQuery, s.openAPI))
		r.Get("/api/v2/server", handle(s, strictQuery, s.about))
		r.With(s.rated).Get(loginPath+"/login", s.withLogin(s.beginLogin))
		r.With(s.rated).Get(CallbackPath, s.withLogin(s.endLogin))
		r.Get(loginPath+"/userinfo", handle(s, strictQuery, s.loggedIn))
		r.Post(loginPath+"/logout", s.logOut)
		if s.Docs != nil {
			for _, pattern := range []string{"/docs", "/docs/*"} {
				r.Method(http.MethodGet, pattern, s.Docs)
				r.Method(http.MethodHead, pattern, s.Docs)
			}
		}
	})
	root.Group(func(r chi.Router) {
		r.Use(deadline(s.ReadTimeout, limit.NewTurns(s.ReadsAtOnce, s.TurnWait)), s.allow(auth.Read))
		r.Get("/metrics", s.metrics())
		r.Get("/api/v2/health", handle(s, strictQuery, s.upkeepHealth))
		r.Get("/api/v2/telemetry", handle(s, strictQuery, s.tellTelemetry))
		r.With(bounded(maxTelemetryBytes)).Post("/api/v2/telemetry", handle(s, strictQuery, s.hearTelemetry))
		r.Get("/api/v2/workflows/{workflow_id}", handle(s, strictQuery, s.getWorkflow))
		r.Get("/api/v2/workflow/{workflow_id}/task_templates", handle(s, strictQuery, s.workflowTemplates))

		expensive := r.With(s.rated)
		expensive.Get("/api/v2/workflows", handle(s, strictQuery, s.listWorkflows))
		expensive.Get("/api/v2/workflow/{workflow_id}/task_concurrency", handle(s, strictQuery, s.taskConcurrency))
		expensive.Get("/api/v2/workflow/{workflow_id}/task_status_changes", handle(s, strictQuery, s.taskStatusChanges))
		expensive.Get("/api/v2/task/{task_id}/status_history", handle(s, strictQuery, s.statusHistory))
		expensive.Get("/api/v2/workflow/{workflow_id}/tasks", handle(s, strictQuery, s.tasksAt))
		expensive.Get("/api/v2/workflow/{workflow_id}/compare", handle(s, strictQuery, s.compare))
		expensive.Get("/api/v2/workflow/{workflow_id}/templates", handle(s, strictQuery, s.templateStats))
		expensive.Get("/api/v2/workflow/{workflow_id}/suspects", handle(s, strictQuery, s.suspects))
	})
	root.Group(func(r chi.Router) {
		r.Use(deadline(s.StateTimeout, limit.NewTurns(s.StateAtOnce, s.TurnWait)))
		for _, prefix := range statePrefixes {
			s.stateRoutes(r, prefix)
		}
	})
	return root
}

// stateRoutes registers JobMon's routes: those by which people change something, and then the others in the order in
// which its client calls them.
func (s *server) stateRoutes(r chi.Router, prefix string) {
	change := r.With(s.allow(auth.Change))
	change.Post(prefix+"/task/{workflow_id}/set_resume_state", handle(s, anyQuery, s.setResumeState))
	change.Put(prefix+"/task/update_statuses", handle(s, anyQuery, s.updateStatuses))
	change.Put(prefix+"/workflow/{workflow_id}/reset", handle(s, anyQuery, s.resetWorkflow))

	r = r.With(s.allow(auth.Drive))
	get := func(path string, work http.HandlerFunc) { r.Get(prefix+path, work) }
	post := func(path string, work http.HandlerFunc) { r.Post(prefix+path, work) }
	put := func(path string, work http.HandlerFunc) { r.Put(prefix+path, work) }

	post("/tool", handle(s, anyQuery, s.registerTool))
	get("/tool/{tool_id}/tool_versions", handle(s, anyQuery, s.toolVersions))
	post("/tool_version", handle(s, anyQuery, s.addToolVersion))
	get("/tool_version/{tool_version_id}/task_templates", handle(s, anyQuery, s.taskTemplates))
	post("/task_template", handle(s, anyQuery, s.registerTaskTemplate))
	get("/task_template/{task_template_id}/versions", handle(s, anyQuery, s.taskTemplateVersions))
	post("/task_template/{task_template_id}/add_version", handle(s, anyQuery, s.registerTaskTemplateVersion))

	get("/cluster/{cluster_name}", handle(s, anyQuery, s.cluster))
	get("/cluster/{cluster_id}/queue/{queue_name}", handle(s, anyQuery, s.queue))
	get("/workflow/{workflow_args_hash}", handle(s, anyQuery, s.matchingWorkflows))
	post("/nodes", handle(s, anyQuery, s.registerNodes))
	post("/dag", handle(s, anyQuery, s.registerDAG))
	post("/dag/{dag_id}/edges", handle(s, anyQuery, s.addEdges))
	post("/workflow", handle(s, anyQuery, s.bindWorkflow))
	post("/array", handle(s, anyQuery, s.bindArray))
	post("/task/bind_resources", handle(s, anyQuery, s.bindResources))
	put("/task/bind_tasks_no_args", handle(s, anyQuery, s.bindTasks))

	post("/workflow_run", handle(s, anyQuery, s.linkRun))
	put("/workflow_run/{workflow_run_id}/update_status", handle(s, anyQuery, s.updateRunStatus))
	post("/workflow_run/{workflow_run_id}/sync_status", handle(s, anyQuery, s.syncStatus))
	post("/workflow_run/{workflow_run_id}/log_heartbeat", handle(s, anyQuery, s.logHeartbeat))
	get("/time", handle(s, anyQuery, s.databaseTime))

	post("/array/{array_id}/queue_task_batch", handle(s, anyQuery, s.queueTaskBatch))
	post("/task_instance/instantiate_task_instances", handle(s, anyQuery, s.instantiate))
	post("/array/{array_id}/transition_to_launched", handle(s, anyQuery, s.launchBatch))
	post("/array/{array_id}/transition_to_killed", handle(s, anyQuery, s.killBatch))
	post("/task_instance/{task_instance_id}/log_running", handle(s, anyQuery, s.logRunning))
	post("/task_instance/{task_instance_id}/log_done", handle(s, anyQuery, s.logDone))
	post("/task_instance/{task_instance_id}/log_error_worker_node", handle(s, anyQuery, s.logError))
}

func (s *server) notFound(w http.ResponseWriter, r *http.Request) {
	if s.UI != nil && !isAPI(r) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		s.UI.ServeHTTP(w, r)
		return
	}
	s.fail(w, r, jobmon.Errorf(jobmon.CodeNotFound, "there is no %s %s; see /api/openapi.json", r.Method, r.URL.Path))
}

func isAPI(r *http.Request) bool {
	return r.URL.Path == "/api" || strings.HasPrefix(r.URL.Path, "/api/")
}

func (s *server) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, jobmon.Errorf(jobmon.CodeNotFound, "%s does not know the method %s; see /api/openapi.json", r.URL.Path, r.Method))
}

// recoverPanics turns a panic into an internal error. Once an answer has begun, all that is left is to
// cut it off, so that nobody takes it for whole.
func (s *server) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := &beginning{ResponseWriter: w}
		defer func() {
			switch cause := recover(); {
			case cause == nil:
			case cause == http.ErrAbortHandler: //nolint:errorlint // it is panicked with as it is
				panic(cause)
			case begun.status != 0:
				s.logFailure(r, panicked(cause))
				panic(http.ErrAbortHandler)
			default:
				s.fail(w, r, panicked(cause))
			}
		}()
		next.ServeHTTP(begun, r)
	})
}

// beginning remembers the status with which an answer has begun; it is 0 before.
type beginning struct {
	http.ResponseWriter
	status int
}

func (b *beginning) WriteHeader(status int) {
	b.status = cmp.Or(b.status, status)
	b.ResponseWriter.WriteHeader(status)
}

func (b *beginning) Write(data []byte) (int, error) {
	b.status = cmp.Or(b.status, http.StatusOK)
	return b.ResponseWriter.Write(data)
}

// Unwrap lets [http.ResponseController] reach what it needs.
func (b *beginning) Unwrap() http.ResponseWriter { return b.ResponseWriter }

// contentSecurityPolicy allows inline styles because the component library writes them, and images
// made by the page because that is how a chart becomes a file.
const contentSecurityPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data: blob:; connect-src 'self'; font-src 'self' data:; object-src 'none'; " +
	"base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

func secureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentSecurityPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		// Without any referrer, the origin of a beacon is "null" by the Fetch standard, which is refused as another
		// site's.
		header.Set("Referrer-Policy", "same-origin")
		if isAPI(r) {
			header.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}

// refuseCrossOrigin keeps other sites that a browser has open from changing anything here. Requests
// that no browser made pass.
func (s *server) refuseCrossOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, jobmon.Errorf(jobmon.CodeInvalid, "a page of another site may not change anything here"))
	}))
	return protection.Handler(next)
}

func (s *server) refuseBadPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := checkText("the path", r.URL.Path); err != nil {
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checkText refuses what some databases store, some cut off and some reject.
func checkText(what, text string) error {
	switch {
	case strings.Contains(text, "\x00"):
		return jobmon.Errorf(jobmon.CodeInvalid, "%s contains a NUL character; remove it", what)
	case !utf8.ValidString(text):
		return jobmon.Errorf(jobmon.CodeInvalid, "%s is not valid UTF-8", what)
	default:
		return nil
	}
}

// deadline bounds how long a request takes, and has it wait for a turn within that.
func deadline(within time.Duration, turns *limit.Turns) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			late := jobmon.Errorf(jobmon.CodeUnavailable, "the answer took longer than %s; try again later or ask for less", within)
			ctx, cancel := context.WithTimeoutCause(context.WithValue(r.Context(), turnsKey, turns), within, late)
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}
