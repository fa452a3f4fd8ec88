package mysql_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/mysql"
	"tasktide/internal/store/testdb"
)

// secret is in every URL of these tests and may be in no error.
const secret = "Tr0ub4dor"

func TestWhatIsNoURL(t *testing.T) {
	for address, says := range map[string]string{
		"":                                                  "does not begin with mysql://",
		"postgres://u:" + secret + "@h/d":                   "does not begin with mysql://",
		"mysql://u:" + secret + "@/d":                       "names no host",
		"mysql://:" + secret + "@h/d":                       "names no user",
		"mysql://h/d":                                       "names no user",
		"mysql://u:" + secret + "@h":                        "names no database",
		"mysql://u:" + secret + "@h/":                       "names no database",
		"mysql://u:" + secret + "@h/a/b":                    "names no database",
		"mysql://u:" + secret + "@h:0/d":                    `has the port "0"`,
		"mysql://u:" + secret + "@h:65536/":                 `has the port "65536"`,
		"mysql://u:" + secret + "@h:x/d":                    "cannot be read",
		"mysql://u:" + secret + "%@h/d":                     "cannot be read",
		"mysql://u:" + secret + "@h/d?a=%x":                 "parameters that cannot be read",
		"mysql://u:" + secret + "@h/d?multiStatements=true": `has a parameter "multiStatements"; there are only tls and socket`,
		"mysql://u:" + secret + "@h/d?tls=maybe":            "has tls=maybe",
	} {
		t.Run(address, func(t *testing.T) { refused(t, address, jobmon.CodeInvalid, says) })
	}
}

func TestWhatCannotBeOpened(t *testing.T) {
	for _, kind := range servers() {
		t.Run(string(kind), func(t *testing.T) {
			good, err := url.Parse(kind.URL(t))
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
				{"socket", change(func(u *url.URL) { u.RawQuery = "socket=/nowhere" }), jobmon.CodeUnavailable, "/nowhere cannot be reached"},
			} {
				t.Run(c.name, func(t *testing.T) { refused(t, c.address, c.code, c.says) })
			}
			t.Run("no time", func(t *testing.T) {
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				if _, err := mysql.Open(ended, good.String()); jobmon.ErrorCode(err) != jobmon.CodeUnavailable {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// An account that may not do all is told apart when the store is opened, not when the first task moves.
func TestPrivileges(t *testing.T) {
	for _, kind := range servers() {
		t.Run(string(kind), func(t *testing.T) {
			address, err := url.Parse(kind.URL(t))
			if err != nil {
				t.Fatal(err)
			}
			name := address.Path[1:]
			user := "reader_" + name[strings.LastIndex(name, "_")+1:]
			admin, err := kind.Server(t).Connect("")
			if err != nil {
				t.Fatal(err)
			}
			defer admin.Close()
			admin.SetMaxOpenConns(1)
			execute := func(statement string) {
				t.Helper()
				if _, err := admin.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
					t.Fatalf("%s: %v", statement, err)
				}
			}
			execute(fmt.Sprintf("CREATE USER %s@'%%' IDENTIFIED BY '%s'", user, secret))
			defer execute("DROP USER " + user + "@'%'")
			address.User = url.UserPassword(user, secret)
			refused(t, address.String(), jobmon.CodeInvalid, fmt.Sprintf("user %q lacks a privilege in database %q", user, name))

			execute(fmt.Sprintf("GRANT SELECT ON %s.* TO %s@'%%'", name, user))
			s, err := mysql.Open(t.Context(), address.String())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.CheckSchema(t.Context()); err != nil {
				t.Errorf("reading the schema: %v", err)
			}
			says(t, s.CheckWritable(t.Context()), jobmon.CodeInvalid, "lacks a privilege")

			execute("DROP DATABASE " + name)
			execute("CREATE DATABASE " + name)
			_, _, err = s.Migrate(t.Context())
			says(t, err, jobmon.CodeInvalid, "lacks a privilege")
		})
	}
}

// A table that was converted to the server's own collation would take two names for one.
func TestACollationThatComparesOtherwise(t *testing.T) {
	for _, kind := range servers() {
		t.Run(string(kind), func(t *testing.T) {
			address := kind.URL(t)
			db, err := kind.Server(t).Connect(address[strings.LastIndex(address, "/")+1:])
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			_, err = db.ExecContext(t.Context(), "ALTER TABLE tool CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
			if err != nil {
				t.Fatal(err)
			}
			refused(t, address, jobmon.CodeInvalid, "tool.name has the collation utf8mb4_general_ci")
		})
	}
}

func TestALogThatReplicasCannotFollow(t *testing.T) {
	server, err := testdb.Start(testdb.MariaDB, testdb.Settings{MariaDB: []string{"--log-bin", "--binlog-format=STATEMENT"}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	name, err := server.Empty(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	refused(t, server.URL(name), jobmon.CodeInvalid, "binlog_format=STATEMENT")
}

// refused demands that an address cannot be opened.
func refused(t *testing.T, address string, code jobmon.Code, text string) {
	t.Helper()
	s, err := mysql.Open(t.Context(), address)
	if err == nil {
		t.Fatal("opened", s.Close())
	}
	says(t, err, code, text)
}

func says(t *testing.T, err error, code jobmon.Code, text string) {
	t.Helper()
	testdb.Says(t, err, code, text, secret)
}
