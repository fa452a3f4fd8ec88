package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/postgres"
	"tasktide/internal/store/testdb"
)

// secret is in every URL of these tests and may be in no error.
const secret = "Tr0ub4dor"

func TestWhatIsNoURL(t *testing.T) {
	for address, says := range map[string]string{
		"":                                                    "does not begin with postgres://",
		"mysql://u:" + secret + "@h/d":                        "does not begin with postgres://",
		"postgres://u:" + secret + "@h":                       "names no database",
		"postgres://u:" + secret + "@h/":                      "names no database",
		"postgres://u:" + secret + "@h:x/d":                   "cannot be read",
		"postgres://u:" + secret + "%@h/d":                    "cannot be read",
		"postgres://u:" + secret + "@h:0/d":                   "check its port and its parameters",
		"postgres://u:" + secret + "@h:99999/d":               "check its port and its parameters",
		"postgres://u:" + secret + "@h/d?sslmode=perhaps":     "check its port and its parameters",
		"postgres://u:" + secret + "@h/d?sslrootcert=nowhere": "the files that they name",
	} {
		t.Run(address, func(t *testing.T) { refused(t, address, jobmon.CodeInvalid, says) })
	}
}

func TestWhatCannotBeOpened(t *testing.T) {
	good, err := url.Parse(testdb.PostgreSQL.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	change := func(apply func(u *url.URL)) string {
		changed := *good
		apply(&changed)
		return changed.String()
	}
	for _, c := range []struct {
		name, address string
		code          jobmon.Code
		says          string
	}{
		{"user", change(func(u *url.URL) { u.User = url.UserPassword("nobody", secret) }), jobmon.CodeInvalid, `refuses user "nobody"`},
		{"password", change(func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), secret) }), jobmon.CodeInvalid, "the password"},
		{"database", change(func(u *url.URL) { u.Path = "/Nowhere" }), jobmon.CodeInvalid, `no database "Nowhere"`},
		{"port", change(func(u *url.URL) { u.Host = testdb.ClosedPort(t) }), jobmon.CodeUnavailable, "cannot be reached"},
		{"host", change(func(u *url.URL) { u.Host = "nowhere.invalid" }), jobmon.CodeUnavailable, "nowhere.invalid"},
		{"socket", change(func(u *url.URL) { u.Host, u.RawQuery = "", "host=/nowhere" }), jobmon.CodeUnavailable, "/nowhere cannot be reached"},
		{"sslmode", change(func(u *url.URL) { u.RawQuery = "sslmode=require" }), jobmon.CodeUnavailable, "sslmode"},
		{"parameter", change(func(u *url.URL) { u.RawQuery = "no_such_setting=1" }), jobmon.CodeInvalid, "no_such_setting"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, c.address, c.code, c.says) })
	}
	t.Run("schema", func(t *testing.T) {
		s, err := postgres.Open(t.Context(), change(func(u *url.URL) { u.RawQuery = "search_path=nowhere" }))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		_, _, err = s.Migrate(t.Context())
		says(t, err, jobmon.CodeInvalid, "search_path")
	})
	t.Run("no time", func(t *testing.T) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := postgres.Open(ended, good.String()); jobmon.ErrorCode(err) != jobmon.CodeUnavailable {
			t.Errorf("%v", err)
		}
	})
}

// A database that cannot hold every name is told apart before the first one is stored.
func TestAnEncodingThatLacksLetters(t *testing.T) {
	server := testdb.PostgreSQL.Server(t)
	admin := connect(t, "")
	const name = "tasktide_latin"
	execute(t, admin, "CREATE DATABASE "+name+" ENCODING 'LATIN1' TEMPLATE template0")
	defer execute(t, admin, "DROP DATABASE "+name+" WITH (FORCE)")
	refused(t, server.URL(name), jobmon.CodeInvalid, "server_encoding=LATIN1")
}

// An account that may not do all is told apart when the store is opened, not when the first task moves.
func TestPrivileges(t *testing.T) {
	address, err := url.Parse(testdb.PostgreSQL.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	name := address.Path[1:]
	user := "reader_" + name[strings.LastIndex(name, "_")+1:]
	db := connect(t, name)
	execute(t, db, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", user, secret))
	defer func() { execute(t, db, "DROP OWNED BY "+user); execute(t, db, "DROP ROLE "+user) }()
	execute(t, db, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO "+user)
	address.User = url.UserPassword(user, secret)
	s, err := postgres.Open(t.Context(), address.String())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.CheckSchema(t.Context()); err != nil {
		t.Errorf("reading the schema: %v", err)
	}
	says(t, s.CheckWritable(t.Context()), jobmon.CodeInvalid, fmt.Sprintf("user %q lacks a privilege in database %q", user, name))

	execute(t, db, "DROP SCHEMA public CASCADE")
	execute(t, db, "CREATE SCHEMA public")
	execute(t, db, "GRANT USAGE ON SCHEMA public TO "+user)
	_, _, err = s.Migrate(t.Context())
	says(t, err, jobmon.CodeInvalid, "lacks a privilege")
}

func connect(t *testing.T, name string) *sql.DB {
	t.Helper()
	db, err := testdb.PostgreSQL.Server(t).Connect(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// refused demands that an address cannot be opened.
func refused(t *testing.T, address string, code jobmon.Code, text string) {
	t.Helper()
	s, err := postgres.Open(t.Context(), address)
	if err == nil {
		t.Fatal("opened", s.Close())
	}
	says(t, err, code, text)
}

func says(t *testing.T, err error, code jobmon.Code, text string) {
	t.Helper()
	testdb.Says(t, err, code, text, secret)
}
