package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tasktide/internal/auth"
	"tasktide/internal/jobmon"
)

// Login is how people log in here, and not only in JobMon.
type Login struct {
	Provider Provider
	// Base is the URL below which browsers see the server. It has a scheme and a host, and ends with a slash.
	Base *url.URL
}

// Provider is an OpenID Connect provider.
type Provider interface {
	// LoginURL returns where a browser goes to log in. CodeUnavailable.
	LoginURL(ctx context.Context, login auth.Login) (string, error)
	// User returns the user for a session, for the code with which the provider has sent a browser back.
	// CodeInvalid, CodeForbidden, CodeUnavailable.
	User(ctx context.Context, login auth.Login, code string) (json.RawMessage, error)
}

// loginPath is JobMon's, for all that has to do with a login.
const loginPath = "/api/auth/oidc"

// CallbackPath is the path, below the one of the server, to which a provider sends a browser back.
const CallbackPath = loginPath + "/auth"

// longestReturn is how long a path to come back to may be, in bytes, so that it fits into a cookie.
const longestReturn = 2000

// withLogin answers with what logging in is about, or says that one cannot do that here.
func (s *server) withLogin(answer func(w http.ResponseWriter, r *http.Request, login *Login)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.Guard == nil:
			s.fail(w, r, jobmon.Errorf(jobmon.CodeNotFound, "there is no login: this server asks nobody who they are"))
		case s.Guard.Login == nil:
			s.fail(w, r, jobmon.Errorf(jobmon.CodeNotFound, "there is no login here; log in at JobMon, whose session holds here too"))
		default:
			giveBack, err := s.logins.Take(r.Context())
			if err != nil {
				s.refuseLogin(w, r, s.Guard.Login.Base.String(), err)
				return
			}
			defer giveBack()
			answer(w, r, s.Guard.Login)
		}
	}
}

// beginLogin sends a browser to the provider.
func (s *server) beginLogin(w http.ResponseWriter, r *http.Request, login *Login) {
	begun := auth.NewLogin(login.local(r.URL.Query().Get("return_to")), time.Now())
	to, err := login.Provider.LoginURL(r.Context(), begun)
	if err != nil {
		s.refuseLogin(w, r, begun.ReturnTo, err)
		return
	}
	http.SetCookie(w, login.cookie(s.Guard.Cookies.SignLogin(begun), auth.LoginMaxAge))
	redirect(w, to)
}

// endLogin takes a browser that the provider sends back, and begins a session.
func (s *server) endLogin(w http.ResponseWriter, r *http.Request, login *Login) {
	value, _ := lastCookie(r, auth.LoginCookieName)
	begun, err := s.Guard.Cookies.VerifyLogin(value, r.URL.Query().Get("state"), time.Now())
	if err != nil {
		s.refuseLogin(w, r, login.Base.String(), err)
		return
	}
	http.SetCookie(w, login.cookie("", -time.Second)) // one answer ends it, whatever it says
	session, err := s.newSession(r, login, begun)
	if err != nil {
		s.refuseLogin(w, r, begun.ReturnTo, err)
		return
	}
	http.SetCookie(w, session)
	redirect(w, begun.ReturnTo)
}

// newSession returns the cookie of whoever the provider says has logged in.
func (s *server) newSession(r *http.Request, login *Login, begun auth.Login) (*http.Cookie, error) {
	query := r.URL.Query()
	if refusal := query.Get("error"); refusal != "" {
		return nil, jobmon.Errorf(jobmon.CodeAnonymous, "the identity provider refuses the login: %.100q", refusal)
	}
	user, err := login.Provider.User(r.Context(), begun, query.Get("code"))
	if err != nil {
		return nil, err
	}
	// What JobMon keeps there besides stays.
	session := auth.Session{}
	maps.Copy(session, identityOf(r.Context()).Session)
	session["user"] = user
	value, err := s.Guard.Cookies.Sign(session, time.Now())
	if err != nil {
		return nil, err
	}
	cookie := s.sessionCookie(value)
	if length := len(cookie.String()); length > auth.CookieBytes {
		return nil, jobmon.Errorf(jobmon.CodeTooLarge,
			"the session of this user takes %d bytes, and browsers keep a cookie of %d: they are in too many groups",
			length, auth.CookieBytes)
	}
	return cookie, nil
}

// refuseLogin sends a browser to the page that says in words why it is not logged in.
func (s *server) refuseLogin(w http.ResponseWriter, r *http.Request, returnTo string, err error) {
	code := string(jobmon.ErrorCode(err))
	s.Log.WarnContext(r.Context(), "a login failed", "code", code, "reason", err)
	page := s.Guard.Login.Base.JoinPath("login")
	page.RawQuery = url.Values{"reason": {code}, "return_to": {returnTo}}.Encode()
	redirect(w, page.String())
}

func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// local returns a path of this server as an URL, and the server's own for whatever else is asked for: nobody is sent
// to another site after a login here.
func (l *Login) local(path string) string {
	to, err := l.Base.Parse(path)
	if err != nil || len(path) > longestReturn || to.Scheme != l.Base.Scheme || to.Host != l.Base.Host || to.User != nil ||
		!strings.HasPrefix(to.Path, l.Base.Path) {
		return l.Base.String()
	}
	return to.String()
}

// cookie is the one of a login that is under way. It is sent to the routes of the login only.
func (l *Login) cookie(value string, age time.Duration) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // it is Secure where browsers speak HTTPS
		Name: auth.LoginCookieName, Value: value, Path: strings.TrimSuffix(l.Base.Path, "/") + loginPath, MaxAge: int(age.Seconds()),
		HttpOnly: true, Secure: l.secure(), SameSite: http.SameSiteLaxMode,
	}
}

func (l *Login) secure() bool { return l != nil && l.Base.Scheme == "https" }

// sessionCookie is JobMon's, with its attributes. An empty value removes it.
func (s *server) sessionCookie(value string) *http.Cookie {
	age := int(auth.CookieMaxAge.Seconds())
	if value == "" {
		age = -1
	}
	return &http.Cookie{ //nolint:gosec // as above
		Name: auth.CookieName, Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: s.Guard.Login.secure(), SameSite: http.SameSiteLaxMode,
	}
}

// renew signs the cookie of a session anew before it gets old, as JobMon does with each answer. Here it is one an hour,
// and none that a shared cache may keep.
func (s *server) renew(w http.ResponseWriter, r *http.Request, who auth.Identity) {
	if who.User == "" || who.Session == nil || !isAPI(r) {
		return
	}
	value, _ := lastCookie(r, auth.CookieName)
	if renewed, due := s.Guard.Cookies.Renew(value, time.Now()); due {
		http.SetCookie(w, s.sessionCookie(renewed))
	}
}

// lastCookie returns the value of a cookie: of several the last, as JobMon does.
func lastCookie(r *http.Request, name string) (value string, found bool) {
	cookies := r.CookiesNamed(name)
	if len(cookies) == 0 {
		return "", false
	}
	return cookies[len(cookies)-1].Value, true
}

// logOut ends the session in this browser. It is no GET: by one, an image on another site could end it, and not all
// browsers tell from where they ask. JobMon's values in the cookie are of no use without a user.
func (s *server) logOut(w http.ResponseWriter, r *http.Request) {
	if s.Guard != nil {
		w.Header().Del("Set-Cookie") // the session may just have been renewed
		http.SetCookie(w, s.sessionCookie(""))
	}
	s.succeed(w, r, none{})
}

// loggedIn tells who is logged in, as JobMon does.
func (s *server) loggedIn(ctx context.Context, _ none) (json.RawMessage, error) {
	who := identityOf(ctx)
	switch {
	case s.Guard == nil:
		return nil, jobmon.Errorf(jobmon.CodeNotFound, "there is no login: this server asks nobody who they are")
	case who.Malformed:
		return nil, jobmon.Errorf(jobmon.CodeForbidden, "%w", auth.ErrMalformedUser)
	case who.User == "":
		return nil, jobmon.Errorf(jobmon.CodeAnonymous, "nobody is logged in")
	case who.Session == nil:
		return nil, jobmon.Errorf(jobmon.CodeForbidden, "this tells of people who are logged in, and a token is no login")
	default:
		return who.Session["user"], nil
	}
}

// loginWays are where one may log in.
const (
	loginNowhere = "none"
	loginJobMon  = "jobmon"
	loginHere    = "oidc"
)

type userAnswer struct {
	Name     string   `json:"name"`
	FullName string   `json:"full_name"`
	Email    string   `json:"email"`
	Groups   []string `json:"groups"`
}

// login tells where one may log in, and who is logged in, nil for nobody. A user that cannot be read has no name.
func (s *server) login(ctx context.Context) (where string, who *userAnswer) {
	if s.Guard == nil {
		return loginNowhere, nil
	}
	where = loginJobMon
	if s.Guard.Login != nil {
		where = loginHere
	}
	user, err := identityOf(ctx).Session.User()
	if errors.Is(err, auth.ErrNoUser) {
		return where, nil
	}
	return where, &userAnswer{user.Name, user.FullName, user.Email, append([]string{}, user.Groups...)}
}
