package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"tasktide/internal/auth"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// Guard is how those who ask are told apart, and what they may.
type Guard struct {
	Cookies *auth.Cookies
	Tokens  store.Tokens
	Policy  auth.Policy
	// Login is how people log in here. nil leaves that to JobMon.
	Login *Login
}

// tokenWithin is how long a database may take to tell a token.
const tokenWithin = 3 * time.Second

type contextKey int

const (
	identityKey contextKey = iota
	actionKey
	turnsKey
)

func identityOf(ctx context.Context) auth.Identity {
	who, _ := ctx.Value(identityKey).(auth.Identity)
	return who
}

// identify finds out who asks. Credentials that are not accepted are logged without their value, and are none.
func (s *server) identify(next http.Handler) http.Handler {
	if s.Guard == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := s.whoAsks(r)
		if known, ok := errors.AsType[*jobmon.Error](err); ok {
			s.fail(w, r, known)
			return
		}
		if err != nil {
			level := slog.LevelWarn
			if errors.Is(err, auth.ErrExpired) || errors.Is(err, auth.ErrExpiredToken) {
				level = slog.LevelDebug // a page that is left open asks on and on
			}
			s.Log.Log(r.Context(), level, "credentials are not accepted", "reason", err, "method", r.Method, "path", r.URL.Path)
		}
		s.renew(w, r, who)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), identityKey, who)))
	})
}

// whoAsks returns who asks, by a token if there is one and otherwise by the cookie. An error with a code means that it
// cannot be found out now; any other that the credentials are not accepted.
func (s *server) whoAsks(r *http.Request) (auth.Identity, error) {
	for _, text := range tokensIn(r.Header.Get("Authorization"), r) {
		hash, is := auth.TokenHash(text)
		if !is {
			continue // a proxy may have passwords of its own
		}
		ctx, cancel := context.WithTimeout(r.Context(), tokenWithin)
		defer cancel()
		token, err := s.Guard.Tokens.TokenByHash(ctx, hash)
		if jobmon.ErrorCode(err) == jobmon.CodeNotFound {
			err = auth.ErrUnknownToken
		}
		if err != nil {
			return auth.Identity{}, err
		}
		return auth.TokenIdentity(token, time.Now())
	}
	value, found := lastCookie(r, auth.CookieName)
	if !found {
		return auth.Identity{}, nil
	}
	session, err := s.Guard.Cookies.Verify(value, time.Now())
	if err != nil {
		return auth.Identity{}, err
	}
	who := auth.Identity{Session: session}
	user, err := session.User()
	switch {
	case errors.Is(err, auth.ErrNoUser):
		return who, nil
	case err != nil:
		who.Malformed = true
		return who, err
	default:
		who.User, who.Groups = user.Name, user.Groups
		return who, nil
	}
}

// tokensIn returns what may be a token: the one of Bearer, or the password or user of Basic, which is all that an
// unmodified client of JobMon can be told, in its URL.
func tokensIn(header string, r *http.Request) []string {
	const bearer = "Bearer "
	if len(header) > len(bearer) && strings.EqualFold(header[:len(bearer)], bearer) {
		return []string{strings.TrimSpace(header[len(bearer):])}
	}
	if user, password, ok := r.BasicAuth(); ok {
		return []string{password, user}
	}
	return nil
}

// allow lets those through who may do what the routes are for, and tells these what that is.
func (s *server) allow(action auth.Action) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if s.Guard == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := s.Guard.Policy.Decide(identityOf(r.Context()), action, nil); err != nil {
				s.fail(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), actionKey, action)))
		})
	}
}

// subject is a field of a request that names something of a workflow.
type subject struct {
	name  string
	kind  store.SubjectKind
	field []int
}

// subjectKinds are by the names that JobMon's routes and ours give to ids.
var subjectKinds = map[string]store.SubjectKind{
	"workflow_id": store.OfWorkflow, "workflow_run_id": store.OfRun, "array_id": store.OfArray,
	"task_id": store.OfTask, "task_ids": store.OfTask,
	"task_instance_id": store.OfInstance, "task_instance_ids": store.OfInstance,
	"with": store.OfWorkflow,
}

// subjectsOf returns the fields of a request that have to be looked at before it is answered. A task_id in a query,
// and task_ids that may be the word all, choose among the tasks of a workflow that the request names too.
func subjectsOf(request reflect.Type) []subject {
	var subjects []subject
	for _, field := range reflect.VisibleFields(request) {
		name := field.Tag.Get("path") + field.Tag.Get("body")
		if query := field.Tag.Get("query"); query == "with" {
			name = query
		}
		kind, known := subjectKinds[name]
		if known && field.Type != reflect.TypeFor[taskChoice]() {
			subjects = append(subjects, subject{name, kind, field.Index})
		}
	}
	return subjects
}

func (s subject) ids(request reflect.Value) []int64 {
	field := request.FieldByIndex(s.field)
	if field.Kind() == reflect.Int64 {
		return []int64{field.Int()}
	}
	return field.Convert(reflect.TypeFor[[]int64]()).Interface().([]int64) //nolint:forcetypeassert // it was converted to it
}

// authorize returns why the one who asks may not have a request answered: an error that for something that one may not
// know of is the same as for something that is not there.
func (s *server) authorize(ctx context.Context, subjects []subject, request reflect.Value) error {
	if s.Guard == nil {
		return nil
	}
	action, _ := ctx.Value(actionKey).(auth.Action)
	who := identityOf(ctx)
	if err := s.Guard.Policy.Decide(who, action, nil); err != nil || len(subjects) == 0 || s.Guard.Policy.Whatever(who, action) {
		return err
	}
	return s.Reader.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		for _, subject := range subjects {
			ids := subject.ids(request)
			owned, err := snapshot.Ownerships(ctx, store.Subject{Kind: subject.kind, IDs: ids})
			if err != nil {
				return err
			}
			for i := range owned {
				if err := s.Guard.Policy.Decide(who, action, &owned[i]); err != nil {
					return subject.hidden(err, ids)
				}
			}
		}
		return nil
	})
}

// hidden words the refusal of something that one may not know of as if it were not there.
func (s subject) hidden(err error, ids []int64) error {
	what := map[store.SubjectKind]string{
		store.OfWorkflow: "workflow", store.OfRun: "workflow run", store.OfArray: "array",
		store.OfTask: "task", store.OfInstance: "task instance",
	}[s.kind]
	switch {
	case jobmon.ErrorCode(err) != jobmon.CodeNotFound:
		return err
	case len(ids) == 1:
		return jobmon.Errorf(jobmon.CodeNotFound, "there is no %s %d", what, ids[0])
	default:
		return jobmon.Errorf(jobmon.CodeNotFound, "not all of the %s are there", s.name)
	}
}

// visible returns those of the workflows that the one who asks may know of.
func (s *server) visible(ctx context.Context, matches []store.WorkflowMatch) ([]store.WorkflowMatch, error) {
	who := identityOf(ctx)
	if s.Guard == nil || len(matches) == 0 || s.Guard.Policy.Whatever(who, auth.Drive) {
		return matches, nil
	}
	ids := make([]int64, len(matches))
	for i, match := range matches {
		ids[i] = match.ID
	}
	hidden := map[int64]bool{}
	err := s.Reader.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		owned, err := snapshot.Ownerships(ctx, store.Subject{Kind: store.OfWorkflow, IDs: ids})
		for i := range owned {
			refused := s.Guard.Policy.Decide(who, auth.Drive, &owned[i])
			hidden[owned[i].WorkflowID] = jobmon.ErrorCode(refused) == jobmon.CodeNotFound
		}
		return err
	})
	return slices.DeleteFunc(matches, func(m store.WorkflowMatch) bool { return hidden[m.ID] }), err
}

// mayRebind returns why the one who asks may not have a workflow that is there already.
func (s *server) mayRebind(ctx context.Context, key store.WorkflowKey) error {
	if s.Guard == nil {
		return nil
	}
	matches, err := s.Catalog.WorkflowsByArgs(ctx, key.ArgsHash)
	if err != nil {
		return err
	}
	for _, m := range matches {
		if m.ToolVersionID == key.ToolVersionID && m.DAGID == key.DAGID && m.TaskHash == key.TaskHash {
			request := workflowRequest{m.ID}
			err := s.authorize(ctx, subjectsOf(reflect.TypeOf(request)), reflect.ValueOf(request))
			if jobmon.ErrorCode(err) == jobmon.CodeNotFound {
				// That there is one cannot be hidden, for there cannot be two; which one it is can.
				return jobmon.Errorf(jobmon.CodeForbidden, "a workflow with these arguments is somebody else's; choose other arguments")
			}
			return err
		}
	}
	return nil
}

// mayRunAs returns why the one who asks may not start a run in a user's name, whose workflow it then is.
func (s *server) mayRunAs(ctx context.Context, user string) error {
	who := identityOf(ctx)
	if s.Guard == nil || s.Guard.Policy.Admin(who) || user == who.User {
		return nil
	}
	return jobmon.Errorf(jobmon.CodeForbidden, "this token is of %s and may not start a run of %q; use one of theirs", who.User, user)
}
