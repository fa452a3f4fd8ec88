package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tasktide/internal/auth"
)

func TestWhatCannotBeGuardedIsRefused(t *testing.T) {
	database, directory := tempDatabase(t), t.TempDir()
	file := filepath.Join(directory, "secret")
	if err := os.WriteFile(file, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	serve := func(args ...string) []string {
		return append([]string{"serve", "--listen", "127.0.0.1:0", "--database-url", database}, args...)
	}
	const callback = "https://tasktide.example.org/api/auth/oidc/auth"
	login := func(args ...string) []string {
		return append(serve("--auth", "session", "--session-secret", "s"), args...)
	}
	complete := func(args ...string) []string {
		return append(login("--oidc-issuer", "https://login.example.org", "--oidc-client-id", "tasktide", "--oidc-client-secret", "s3cret",
			"--oidc-redirect-url", callback), args...)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{serve("--listen", ":0"), 1, "--insecure"},
		{[]string{"demo", "--listen", "0.0.0.0:0"}, 1, "--insecure"},
		{serve("--auth", "session"), 1, "TASKTIDE_SESSION_SECRET"},
		{serve("--auth", "session", "--session-secret-file", file), 1, "TASKTIDE_SESSION_SECRET"},
		{serve("--auth", "session", "--session-secret-file", filepath.Join(directory, "none")), 1, "none"},
		{serve("--auth", "session", "--session-secret", "s", "--session-secret-file", file), 1, "not both"},
		{serve("--session-secret", "s"), 1, "--auth session"},
		{serve("--auth", "session", "--session-secret", "s", "--change-access", "everyone"), 1, "--change-access"},
		{serve("--auth", "session", "--session-secret", "s", "--admins", "user:a,members"), 1, "--admins"},
		{serve("--auth", "session", "--session-secret", "s", "--read-access", "all"), 2, "group:NAME"},
		{serve("--auth", "ldap"), 2, "session"},
		{[]string{"config", "check", "--database-url", database, "--listen", "127.0.0.1:0", "--auth", "session"}, 1, "wrong settings: 1"},
		{serve("--oidc-issuer", "https://x"), 1, "--auth session"},
		{login("--oidc-client-id", "tasktide"), 1, "TASKTIDE_OIDC_ISSUER"},
		{login("--oidc-issuer", "https://x", "--oidc-client-id", "t", "--oidc-redirect-url", callback), 1, "TASKTIDE_OIDC_CLIENT_SECRET"},
		{complete("--oidc-client-secret-file", file), 1, "not both"},
		{complete("--oidc-issuer", "http://login.example.org"), 1, "https://"},
		{complete("--oidc-issuer", "login.example.org"), 1, "TASKTIDE_OIDC_ISSUER must"},
		{complete("--oidc-issuer", "https://me:s3cret@login.example.org"), 1, "TASKTIDE_OIDC_ISSUER must"},
		{complete("--oidc-scopes", "email"), 1, "openid"},
		{complete("--oidc-redirect-url", "https://tasktide.example.org/"), 1, callback},
		{complete("--oidc-redirect-url", callback+"?x"), 1, callback},
		{complete("--oidc-redirect-url", "/api/auth/oidc/auth"), 1, callback},
		{complete("--base-path", "/tools/"), 1, "https://tasktide.example.org/tools/api/auth/oidc/auth"},
		{[]string{"token", "create", "--database-url", database}, 2, "--user"},
		{[]string{"token", "create", "--user", "ada", "--scope", "write", "--database-url", database}, 1, "read, state"},
		{[]string{"token", "create", "--user", "ada", "--expires", "0", "--database-url", database}, 1, "expire"},
		{[]string{"token", "revoke", "7", "--database-url", database}, 1, "no token 7"},
	} {
		code, _, errOut := call(c.args...)
		last := errOut[strings.LastIndex(strings.TrimSpace(errOut), "\n")+1:]
		if code != c.code || !strings.Contains(last, c.says) || strings.Contains(errOut, "s3cret") {
			t.Errorf("%v exits %d with %q; want %d and %q", c.args, code, last, c.code, c.says)
		}
	}
}

// TestLogins lets people and machines in as an operator would: a secret in a file, and tokens from the command line.
func TestLogins(t *testing.T) {
	database := tempDatabase(t)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("not a good one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "serve", "--listen", "127.0.0.1:0", "--database-url", database, "--auth", "session", "--session-secret-file", file)
	ask := func(method, path string, change func(r *http.Request)) int {
		t.Helper()
		request, err := http.NewRequest(method, p.url+path, strings.NewReader(`{"name": "t"}`))
		if err != nil {
			t.Fatal(err)
		}
		change(request)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	nothing := func(*http.Request) {}
	value, err := auth.NewCookies("not a good one").Sign(auth.Session{"user": []byte(`{"sub":"1","email":"ada@x","preferred_username":"ada",
		"name":"Ada","updated_at":1,"given_name":"","family_name":"","groups":[],"nonce":"","at_hash":"","sid":"","aud":"","exp":1,"iat":1,"iss":""}`)},
		time.Now())
	if err != nil {
		t.Fatal(err)
	}
	session := func(r *http.Request) { r.AddCookie(&http.Cookie{Name: auth.CookieName, Value: value}) }
	code, out, errOut := call("token", "create", "--user", "ada", "--scope", "state,read", "--name", "nightly", "--database-url", database)
	token := strings.TrimSpace(out)
	if code != 0 || token == "" || strings.Contains(errOut, token) {
		t.Fatalf("token create exits %d with %q, %q", code, out, errOut)
	}
	basic := func(r *http.Request) { r.SetBasicAuth("ada", token) }
	for _, c := range []struct {
		what, method, path string
		change             func(r *http.Request)
		want               int
	}{
		{"nobody", "GET", "/healthz", nothing, 200},
		{"nobody", "GET", "/api/v2/workflows", nothing, 401},
		{"a session", "GET", "/api/v2/workflows", session, 200},
		{"a session", "POST", "/api/v3/tool", session, 403},
		{"a token", "GET", "/api/v2/workflows", basic, 200},
		{"a token", "POST", "/api/v3/tool", basic, 200},
	} {
		if got := ask(c.method, c.path, c.change); got != c.want {
			t.Errorf("%s %s with %s: %d, want %d", c.method, c.path, c.what, got, c.want)
		}
	}
	// The page itself tells nothing, and is needed to log in; a binary without one answers 503.
	if got := ask("GET", "/", nothing); got != 200 && got != 503 {
		t.Errorf("GET / with nobody: %d", got)
	}
	if code, out, _ := call("token", "list", "--database-url", database); code != 0 || !strings.Contains(out, `1   "ada"  read,state`) ||
		!strings.Contains(out, "nightly") || strings.Contains(out, token) {
		t.Errorf("token list exits %d with\n%s", code, out)
	}
	if code, _, errOut := call("token", "revoke", "1", "--database-url", database); code != 0 {
		t.Errorf("token revoke exits %d with %q", code, errOut)
	}
	if got := ask("GET", "/api/v2/workflows", basic); got != 401 {
		t.Errorf("a token that is revoked: %d", got)
	}
	if err := p.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(); err != nil {
		t.Error(err)
	}
	if log := p.stderr.String(); strings.Contains(log, token) || strings.Contains(log, value) || strings.Contains(log, "good one") {
		t.Errorf("the log holds a secret:\n%s", log)
	}
}
