package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"tasktide/internal/api"
	"tasktide/internal/auth"
	"tasktide/internal/auth/oidc"
)

// site is where browsers see the server: below a path of a proxy that speaks HTTPS.
const site = "https://tasktide.example/tools/"

const clientSecret = "a client's secret"

// provider is an OpenID Connect provider that does as it is told.
type provider struct {
	oidctest.Server
	url    string
	key    *ecdsa.PrivateKey
	codes  map[string]url.Values // what each code was given for, until it is used
	claims map[string]any        // of the ID token, besides those that every one has; nil leaves one out
	info   map[string]any        // of the user info
	fails  map[string]int        // the status of a path that fails
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key, codes: map[string]url.Values{}, fails: map[string]int{}, info: map[string]any{
		"sub": "1", "email": "ada@example.org", "email_verified": true, "name": "Ada Lovelace",
		"groups": []string{"ops", "app-mail", "analysts"},
	}}
	p.Algorithms = []string{"ES256"}
	p.PublicKeys = []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "k", Algorithm: "ES256"}}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	p.SetIssuer(p.url)
	return p
}

func loginAt(t *testing.T, issuer string) *api.Login {
	t.Helper()
	base, err := url.Parse(site)
	if err != nil {
		t.Fatal(err)
	}
	return &api.Login{Base: base, Provider: oidc.New(oidc.Config{
		Issuer: issuer, ClientID: "tasktide", ClientSecret: clientSecret, RedirectURL: site + "api/auth/oidc/auth",
		Scopes: []string{"openid", "email"},
	})}
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if status := p.fails[r.URL.Path]; status != 0 {
		http.Error(w, "secret code token of a provider", status)
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		p.tell(w, map[string]any{
			"issuer": p.url, "authorization_endpoint": p.url + "/auth", "token_endpoint": p.url + "/token",
			"userinfo_endpoint": p.url + "/me", "jwks_uri": p.url + "/keys", "id_token_signing_alg_values_supported": p.Algorithms,
		})
	case "/token":
		p.exchange(w, r)
	case "/me":
		if r.Header.Get("Authorization") != "Bearer an access token" {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		p.tell(w, p.info)
	default:
		p.Server.ServeHTTP(w, r)
	}
}

func (p *provider) tell(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

// exchange gives tokens for a code once, to whoever has the secret and the verifier.
func (p *provider) exchange(w http.ResponseWriter, r *http.Request) {
	asked, known := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	verifier := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	_, secret, _ := r.BasicAuth()
	if unescaped, _ := url.QueryUnescape(secret); !known || unescaped != clientSecret || asked.Get("code_challenge_method") != "S256" ||
		asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(verifier[:]) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error": "invalid_grant"}`))
		return
	}
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": p.url, "sub": "1", "aud": []string{"tasktide", "other"}, "exp": now + 60, "iat": now, "nonce": asked.Get("nonce"), "sid": "s1",
	}
	maps.Copy(claims, p.claims)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	text, _ := json.Marshal(claims)
	p.tell(w, map[string]any{
		"access_token": "an access token", "token_type": "Bearer", "id_token": oidctest.SignIDToken(p.key, "k", "ES256", string(text)),
	})
}

// approve lets who logs in pass, and returns the callback's query.
func (p *provider) approve(t *testing.T, location string) url.Values {
	t.Helper()
	asked, err := url.Parse(location)
	if err != nil || !strings.HasPrefix(location, p.url+"/auth?") {
		t.Fatalf("not sent to the provider but to %s", location)
	}
	code := fmt.Sprintf("code-%d", len(p.codes))
	p.codes[code] = asked.Query()
	return url.Values{"code": {code}, "state": {asked.Query().Get("state")}}
}

// begin asks to log in, and returns where the browser is sent and the cookie that it gets.
func (g guarded) begin(query string) (location string, cookie *http.Cookie) {
	g.t.Helper()
	got := g.send("GET", "/api/auth/oidc/login"+query, "", nobody...)
	if got.status != http.StatusSeeOther {
		g.t.Fatalf("%s: %d %s", got.what, got.status, got.body)
	}
	return got.header.Get("Location"), got.cookie("tasktide_login")
}

func (g guarded) comeBack(query url.Values, cookies ...string) answer {
	g.t.Helper()
	return g.send("GET", "/api/auth/oidc/auth?"+query.Encode(), "", append(slices.Clone(nobody), "Cookie", strings.Join(cookies, "; "))...)
}

// cookie returns a cookie that an answer sets, or nil.
func (a answer) cookie(name string) *http.Cookie {
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		if cookie.Name == name {
			return cookie
		}
	}
	return nil
}

// refusedFor demands that the browser is sent to the page that says why, and that nobody is logged in.
func (a answer) refusedFor(reason string) url.Values {
	a.t.Helper()
	to, err := url.Parse(a.header.Get("Location"))
	if err != nil || a.status != http.StatusSeeOther || !strings.HasPrefix(to.String(), site+"login?") ||
		to.Query().Get("reason") != reason || a.cookie("session") != nil {
		a.t.Errorf("%s: %d to %s with %v, want the reason %s", a.what, a.status, to, a.header["Set-Cookie"], reason)
		return url.Values{}
	}
	return to.Query()
}

func TestALogin(t *testing.T) {
	p := newProvider(t)
	g := newGuardedBy(t, "members", loginAt(t, p.url))
	location, login := g.begin("?return_to=" + url.QueryEscape("/tools/workflows/1?range=24h#suspects"))
	if login == nil || !login.HttpOnly || !login.Secure || login.SameSite != http.SameSiteLaxMode || login.MaxAge != 600 ||
		login.Path != "/tools/api/auth/oidc" {
		t.Fatalf("the login is remembered by %v", login)
	}
	for _, held := range []string{"code_challenge_method=S256", "scope=openid+email", "client_id=tasktide", "response_type=code"} {
		if !strings.Contains(location, held) {
			t.Errorf("%s lacks %s", location, held)
		}
	}
	// JobMon's own values are in the cookie already.
	kept, _ := g.cookies.Sign(auth.Session{"_state_OIDC_x": json.RawMessage(`{"a":  1}`)}, time.Now())
	done := g.comeBack(p.approve(t, location), "session="+kept, login.String())
	session := done.cookie("session")
	if done.status != http.StatusSeeOther || done.header.Get("Location") != site+"workflows/1?range=24h#suspects" || session == nil {
		t.Fatalf("%d to %s with %v", done.status, done.header.Get("Location"), done.header["Set-Cookie"])
	}
	if ended := done.cookie("tasktide_login"); ended == nil || ended.MaxAge >= 0 || ended.Path != login.Path {
		t.Errorf("the login is still remembered: %v", ended)
	}
	if !session.HttpOnly || !session.Secure || session.SameSite != http.SameSiteLaxMode || session.Path != "/" || session.MaxAge != 1209600 ||
		session.Domain != "" {
		t.Errorf("the session is %v", session)
	}
	values, err := g.cookies.Verify(session.Value, time.Now())
	if err != nil || string(values["_state_OIDC_x"]) != `{"a":1}` {
		t.Errorf("it holds %s, %v", values, err)
	}
	as := append(slices.Clone(nobody), "Cookie", "session="+session.Value)
	told := g.send("GET", "/api/auth/oidc/userinfo", "", as...).ok()
	want := map[string]any{
		"sub": "1", "email": "ada@example.org", "preferred_username": "ada", "name": "Ada Lovelace", "updated_at": 0.0, "given_name": "",
		"family_name": "", "groups": []any{"analysts", "ops"}, "nonce": at(t, told, "nonce"), "at_hash": "", "sid": "s1", "aud": "tasktide",
		"exp": at(t, told, "exp"), "iat": at(t, told, "iat"), "iss": p.url,
	}
	if got, wanted := fmt.Sprint(told), fmt.Sprint(want); got != wanted {
		t.Errorf("got %s\nwant %s", got, wanted)
	}
	about := g.send("GET", "/api/v2/server", "", as...).ok()
	if at(t, about, "login") != "oidc" || at(t, about, "user", "name") != "ada" || at(t, about, "user", "full_name") != "Ada Lovelace" {
		t.Errorf("%v", about)
	}
	g.send("GET", "/api/v2/workflows", "", as...).ok()

	out := g.send("POST", "/api/auth/oidc/logout", "", as...)
	out.ok()
	if gone := out.cookie("session"); gone == nil || gone.MaxAge >= 0 || gone.Path != "/" {
		t.Errorf("logged out with %v", out.header["Set-Cookie"])
	}
	for _, from := range []string{"cross-site", "same-site"} {
		other := g.send("POST", "/api/auth/oidc/logout", "", append(as, "Sec-Fetch-Site", from)...)
		if other.refused(400, "invalid"); other.cookie("session") != nil {
			t.Errorf("a page that is %s logs people out", from)
		}
	}
	if image := g.send("GET", "/api/auth/oidc/logout", "", as...); image.status != 404 || image.cookie("session") != nil {
		t.Errorf("an image logs people out: %d", image.status)
	}
}

func TestALoginThatFails(t *testing.T) {
	p := newProvider(t)
	many := make([]string, 200)
	for i := range many {
		many[i] = fmt.Sprintf("a-group-of-many-%d", i)
	}
	for name, c := range map[string]struct {
		change func(callback url.Values) // of what the provider does or answers
		reason string
	}{
		"refused by the provider": {func(callback url.Values) { callback.Set("error", "access_denied"); callback.Del("code") }, "unauthenticated"},
		"another state":           {func(callback url.Values) { callback.Set("state", "x") }, "invalid"},
		"no state":                {func(callback url.Values) { callback.Del("state") }, "invalid"},
		"another code":            {func(callback url.Values) { callback.Set("code", "made-up") }, "invalid"},
		"no code":                 {func(callback url.Values) { callback.Del("code") }, "invalid"},
		"PKCE of somebody else":   {func(callback url.Values) { p.codes[callback.Get("code")].Set("code_challenge", "x") }, "invalid"},
		"wrong nonce":             {func(url.Values) { p.claims["nonce"] = "x" }, "internal"},
		"no nonce":                {func(url.Values) { p.claims["nonce"] = nil }, "internal"},
		"for another client":      {func(url.Values) { p.claims["aud"] = "other" }, "internal"},
		"of another issuer":       {func(url.Values) { p.claims["iss"] = "https://evil.example" }, "internal"},
		"expired ID token":        {func(url.Values) { p.claims["exp"] = 1 }, "internal"},
		"for another token":       {func(url.Values) { p.claims["at_hash"] = "x" }, "internal"},
		"signed by another key":   {func(url.Values) { p.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }, "internal"},
		"of another user":         {func(url.Values) { p.info["sub"] = "2" }, "internal"},
		"no e-mail address":       {func(url.Values) { delete(p.info, "email") }, "forbidden"},
		"an address of nobody":    {func(url.Values) { p.info["email"] = "@example.org" }, "forbidden"},
		"not their address":       {func(url.Values) { p.info["email_verified"] = false }, "forbidden"},
		"too many groups":         {func(url.Values) { p.info["groups"] = many }, "too_large"},
		"tokens are down":         {func(url.Values) { p.fails["/token"] = 503 }, "unavailable"},
		"the client is unknown":   {func(url.Values) { p.fails["/token"] = 401 }, "internal"},
		"user info is refused":    {func(url.Values) { p.fails["/me"] = 403 }, "internal"},
		"it has gone":             {func(url.Values) { p.fails["/.well-known/openid-configuration"] = 500 }, "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			p = newProvider(t)
			p.claims = map[string]any{}
			g := newGuardedBy(t, "members", loginAt(t, p.url))
			location, login := g.begin("")
			callback := p.approve(t, location)
			c.change(callback)
			got := g.comeBack(callback, login.String())
			got.refusedFor(c.reason)
			if !strings.Contains(g.log.String(), "a login failed") {
				t.Error("the log does not say why")
			}
			for _, secret := range []string{clientSecret, "an access token", callback.Get("code"), "secret code token", login.Value} {
				if secret != "" && strings.Contains(g.log.String()+got.header.Get("Location"), secret) {
					t.Errorf("%q is told: %s, %s", secret, g.log, got.header.Get("Location"))
				}
			}
		})
	}
}

func TestALoginIsOfOneBrowserAndOnce(t *testing.T) {
	p := newProvider(t)
	g := newGuardedBy(t, "members", loginAt(t, p.url))
	location, login := g.begin("")
	_, others := g.begin("")
	callback := p.approve(t, location)
	g.comeBack(callback).refusedFor("invalid")
	session, _ := g.cookies.Sign(auth.Session{"user": json.RawMessage(`{}`)}, time.Now())
	late := auth.NewLogin(site, time.Now().Add(-auth.LoginMaxAge))
	late.State = callback.Get("state")
	for name, value := range map[string]string{
		"another login's": others.Value, "cut": login.Value[1:], "changed": login.Value + "x", "a session": session,
		"another server's": auth.NewCookies("x").SignLogin(auth.Login{State: callback.Get("state"), Until: 1 << 40}),
		"late":             g.cookies.SignLogin(late), "oversized": login.Value + strings.Repeat("x", 5000),
	} {
		if got := g.comeBack(callback, "tasktide_login="+value); got.refusedFor("invalid") == nil {
			t.Error(name)
		}
	}
	// Nor is a login a session.
	g.send("GET", "/api/v2/workflows", "", append(slices.Clone(nobody), "Cookie", "session="+login.Value)...).refused(401, "unauthenticated")
	if got := g.comeBack(callback, login.String()); got.cookie("session") == nil {
		t.Errorf("the right one is refused: %s", got.header.Get("Location"))
	}
	g.comeBack(callback, login.String()).refusedFor("invalid")
}

func TestALoginLeadsNowhereElse(t *testing.T) {
	p := newProvider(t)
	g := newGuardedBy(t, "members", loginAt(t, p.url))
	for to, want := range map[string]string{
		"/tools/workflows/1?a=b":              site + "workflows/1?a=b",
		"":                                    site,
		"https://evil.example/":               site,
		"//evil.example/tools/":               site,
		`/\evil.example`:                      site,
		`\\evil.example`:                      site + "%5C%5Cevil.example",
		"/tools/..//evil.example":             site,
		"/tools/../../evil":                   site,
		"/other":                              site,
		"javascript:alert(1)":                 site,
		"https://x@tasktide.example/tools/":   site,
		"http://tasktide.example/tools/":      site,
		"https://tasktide.example:8/tools/x":  site,
		"/tools/\x00":                         site,
		"/tools/\r\nSet-Cookie: x":            site,
		"/tools/" + strings.Repeat("x", 4000): site,
	} {
		location, login := g.begin("?return_to=" + url.QueryEscape(to))
		if got := g.comeBack(p.approve(t, location), login.String()).header.Get("Location"); got != want {
			t.Errorf("%q leads to %s, want %s", to, got, want)
		}
	}
}

func TestAProviderThatIsDown(t *testing.T) {
	p := newProvider(t)
	g := newGuardedBy(t, "members", loginAt(t, p.url))
	for _, status := range []int{500, 404, 200} {
		p.fails["/.well-known/openid-configuration"] = status
		got := g.send("GET", "/api/auth/oidc/login?return_to=/tools/workflows/7", "", nobody...)
		if query := got.refusedFor("unavailable"); query.Get("return_to") != site+"workflows/7" {
			t.Errorf("%v", query)
		}
		g.send("GET", "/api/v2/workflows", "", g.session("ada")...).ok()
	}
	p.fails = nil
	if location, _ := g.begin(""); !strings.HasPrefix(location, p.url) {
		t.Errorf("it is up again, and asked no more: %s", location)
	}
	without := newGuardedBy(t, "members", nil)
	if about := without.send("GET", "/api/v2/server", "", nobody...).ok(); at(t, about, "login") != "jobmon" || at(t, about, "user") != nil {
		t.Errorf("%v", about)
	}
	for _, path := range []string{"/api/auth/oidc/login", "/api/auth/oidc/auth"} {
		if refusal := without.send("GET", path, "", nobody...).refused(404, "not_found"); !strings.Contains(refusal.Message, "JobMon") {
			t.Errorf("%q", refusal.Message)
		}
	}
	newFixture(t).send("GET", "/api/auth/oidc/userinfo", "").refused(404, "not_found")
}

// TestASessionSlides: its cookie is signed anew, to the byte, once an hour.
func TestASessionSlides(t *testing.T) {
	g := newGuarded(t, "members")
	b := g.bind("sliding", 1)
	now := time.Now()
	payload := base64.StdEncoding.EncodeToString([]byte(`{"z": 1.50, "user": ` + string(g.user("ada")) + `,  "a":{"b":[ ]}}`))
	value := g.signed(payload, now.Add(-2*time.Hour))
	as := func(value string) []string { return append(slices.Clone(nobody), "Cookie", "session="+value) }
	chart := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?time_range=all&format=columns", b.workflow)
	tag := g.send("GET", chart, "", as(value)...).header.Get("ETag")
	for _, c := range []struct {
		what   string
		got    answer
		signed bool
	}{
		{"an answer", g.send("GET", chart, "", as(value)...), true},
		{"no news", g.send("GET", chart, "", append(as(value), "If-None-Match", tag)...), true},
		{"the server", g.send("GET", "/api/v2/server", "", as(value)...), true},
		{"metrics", g.send("GET", "/metrics", "", as(value)...), false},
		{"younger", g.send("GET", chart, "", as(g.signed(payload, now.Add(-time.Hour/2)))...), false},
		{"too old", g.send("GET", "/api/v2/server", "", as(g.signed(payload, now.Add(-auth.CookieMaxAge-time.Hour)))...), false},
		{"a token", g.send("GET", chart, "", append(as(value), g.header...)...), false},
		{"nobody's", g.send("GET", "/api/v2/server", "", g.cookie("{}", now.Add(-2*time.Hour))...), false},
	} {
		cookie := c.got.cookie("session")
		if (cookie != nil) != c.signed {
			t.Errorf("%s: %v", c.what, cookie)
			continue
		}
		if cookie == nil {
			continue
		}
		if kept, _, _ := strings.Cut(cookie.Value, "."); kept != payload || cookie.Value == value || cookie.MaxAge != 1209600 || cookie.Path != "/" {
			t.Errorf("%s: %v", c.what, cookie)
		}
		if _, err := g.cookies.Verify(cookie.Value, time.Now().Add(auth.CookieMaxAge-time.Minute)); err != nil {
			t.Errorf("%s: in 14 days, %v", c.what, err)
		}
		if cache := c.got.header.Get("Cache-Control"); cache != "no-store" && cache != "private, no-cache" {
			t.Errorf("%s: a cookie that others may keep: %q", c.what, cache)
		}
	}
}

// signed signs a cookie's payload as it is, by the published algorithm.
func (guarded) signed(payload string, at time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	key := sha1.Sum([]byte("itsdangerous.Signersigner" + secret))
	mac := hmac.New(sha1.New, key[:])
	text := payload + "." + encode(big.NewInt(at.Unix()).Bytes())
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}
