package auth_test

import (
	"strings"
	"testing"
	"time"

	"tasktide/internal/auth"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

func principals(t *testing.T, text string) (p auth.Principals) {
	t.Helper()
	if err := p.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDecide(t *testing.T) {
	adas := &store.Ownership{WorkflowID: 7, Users: []string{"ada", "grace"}}
	unclaimed, imported := &store.Ownership{WorkflowID: 8}, &store.Ownership{WorkflowID: 9, Imported: true}
	session := func(user string, groups ...string) auth.Identity { return auth.Identity{User: user, Groups: groups} }
	token := func(user string, scopes ...auth.Scope) auth.Identity {
		return auth.Identity{User: user, Scopes: scopes}
	}
	for _, c := range []struct {
		readers, changers string
		who               auth.Identity
		action            auth.Action
		of                *store.Ownership
		want              jobmon.Code
	}{
		{"owners", "owners", session("grace"), auth.Change, adas, ""},
		{"owners", "owners", session("Grace"), auth.Read, adas, jobmon.CodeNotFound},
		{"owners", "owners", session("bob"), auth.Read, nil, ""},
		{"owners", "user:bob", session("bob"), auth.Change, adas, ""},
		{"owners", "user:bob", session("bob"), auth.Read, adas, ""},
		{"members", "owners", session("bob"), auth.Read, adas, ""},
		{"members", "owners", session("bob"), auth.Change, adas, jobmon.CodeForbidden},
		{"members", "members", session("bob"), auth.Change, adas, ""},
		{"group:g, user:x", "", session("bob", "f", "g"), auth.Read, adas, ""},
		{"group:g", "", session("g"), auth.Read, adas, jobmon.CodeNotFound},
		{"everyone", "owners", auth.Identity{}, auth.Read, adas, ""},
		{"everyone", "owners", auth.Identity{}, auth.Change, adas, jobmon.CodeAnonymous},
		{"members", "owners", auth.Identity{}, auth.Read, adas, jobmon.CodeAnonymous},
		{"owners", "owners", auth.Identity{}, auth.Read, unclaimed, jobmon.CodeAnonymous},
		{"everyone", "members", auth.Identity{Malformed: true}, auth.Read, adas, jobmon.CodeForbidden},
		{"everyone", "members", auth.Identity{Malformed: true}, auth.Greet, nil, ""},
		{"everyone", "members", session("ada"), auth.Undecided, nil, jobmon.CodeForbidden},
		{"owners", "owners", token("ada", auth.ScopeState), auth.Drive, adas, ""},
		{"owners", "owners", token("bob", auth.ScopeState), auth.Drive, adas, jobmon.CodeNotFound},
		{"owners", "owners", token("bob", auth.ScopeState), auth.Drive, unclaimed, ""},
		{"owners", "owners", token("bob", auth.ScopeState), auth.Change, unclaimed, jobmon.CodeNotFound},
		{"owners", "owners", token("bob", auth.ScopeState), auth.Drive, imported, jobmon.CodeNotFound},
		{"owners", "owners", token("bob", auth.ScopeAdmin), auth.Drive, imported, ""},
		{"owners", "owners", token("root", auth.ScopeRead), auth.Change, adas, jobmon.CodeForbidden},
		{"owners", "owners", token("root", auth.ScopeState), auth.Change, adas, ""},
		{"owners", "owners", session("root"), auth.Drive, adas, jobmon.CodeForbidden},
		{"owners", "owners", session("root"), auth.Change, imported, ""},
		// Nobody's name is the user of a run that tells of none.
		{"owners", "owners", auth.Identity{Scopes: []auth.Scope{auth.ScopeState}}, auth.Change, &store.Ownership{Users: []string{""}}, jobmon.CodeAnonymous},
	} {
		policy := auth.Policy{Readers: principals(t, c.readers), Changers: principals(t, c.changers), Admins: principals(t, "user:root,group:ops")}
		err := policy.Decide(c.who, c.action, c.of)
		if got := jobmon.ErrorCode(err); got != c.want {
			t.Errorf("%+v: got %q (%v)", c, got, err)
		}
		if c.of == adas && c.want == jobmon.CodeForbidden && c.who.Scopes == nil && c.action == auth.Change &&
			!strings.Contains(err.Error(), "ask ada, grace, who ran it, or an administrator (group:ops,user:root)") {
			t.Errorf("it does not say whom to ask: %v", err)
		}
		if policy.Whatever(c.who, c.action) && err != nil && c.action != auth.Undecided {
			t.Errorf("%+v: refused, though it may be done to whatever workflow", c)
		}
	}
	for _, text := range []string{"owners", "members", "everyone,group:a b,user:c"} {
		if got := principals(t, text).String(); got != text {
			t.Errorf("%q is written %q", text, got)
		}
	}
	var p auth.Principals
	for _, text := range []string{"everybody", "group:", "user:", "admins", "members;owners"} {
		if p.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestTokens(t *testing.T) {
	from := time.Unix(1000, 0)
	text, stored, err := auth.NewToken("ci", "ada", []string{"state", "read", "state"}, from, from.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if hash, is := auth.TokenHash(text); !is || hash != stored.Hash || stored.Scopes != "read,state" || strings.Contains(stored.Hash, text) {
		t.Errorf("%q is stored as %+v", text, stored)
	}
	if again, _, _ := auth.NewToken("ci", "ada", []string{"read"}, from, from.Add(time.Hour)); again == text {
		t.Error("two tokens are the same")
	}
	for _, other := range []string{"", text + "x", text[1:], strings.ToUpper(text), strings.Repeat("x", len(text))} {
		if _, is := auth.TokenHash(other); is {
			t.Errorf("%q is a token", other)
		}
	}
	who, err := auth.TokenIdentity(stored, from.Add(time.Hour-time.Microsecond))
	if err != nil || who.User != "ada" || len(who.Scopes) != 2 {
		t.Errorf("just before it expires: %+v, %v", who, err)
	}
	if who, err := auth.TokenIdentity(stored, from.Add(time.Hour)); err == nil || who.User != "" {
		t.Errorf("when it expires: %+v", who)
	}
	for name, attempt := range map[string]func() error{
		"no user":  func() error { _, _, err := auth.NewToken("", "", []string{"read"}, from, from.Add(1e9)); return err },
		"no scope": func() error { _, _, err := auth.NewToken("", "a", nil, from, from.Add(1e9)); return err },
		"a scope":  func() error { _, _, err := auth.NewToken("", "a", []string{"write"}, from, from.Add(1e9)); return err },
		"no time":  func() error { _, _, err := auth.NewToken("", "a", []string{"read"}, from, from); return err },
	} {
		if jobmon.ErrorCode(attempt()) != jobmon.CodeInvalid {
			t.Errorf("%s is taken", name)
		}
	}
}
