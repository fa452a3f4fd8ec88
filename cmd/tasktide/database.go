package main

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/store/sqlite"
)

// databaseFlag is the flag of every command that opens a database.
type databaseFlag struct {
	DatabaseURL string `env:"TASKTIDE_DATABASE_URL" default:"${default_database}" placeholder:"URL" help:"Where the data is: sqlite://PATH, relative or absolute (${default_database})."`
}

func (f databaseFlag) open(ctx context.Context) (store.Store, error) {
	scheme, _, found := strings.Cut(f.DatabaseURL, "://")
	if !found || scheme != "sqlite" {
		return nil, jobmon.Errorf(jobmon.CodeInvalid, "the database URL must be of the form sqlite://PATH")
	}
	if f.DatabaseURL == defaultDatabaseURL() {
		if err := os.MkdirAll(dataDirectory(), 0o700); err != nil {
			return nil, jobmon.Errorf(jobmon.CodeInvalid,
				"the default data directory cannot be made (%w); name a database with --database-url", err)
		}
	}
	return sqlite.Open(ctx, f.DatabaseURL)
}

func defaultDatabaseURL() string {
	return sqliteURL(filepath.Join(dataDirectory(), "tasktide.db"))
}

func sqliteURL(path string) string { return "sqlite://" + (&url.URL{Path: path}).EscapedPath() }

// dataDirectory is where the XDG base directory specification puts a user's data.
func dataDirectory() string {
	base := os.Getenv("XDG_DATA_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			home = "."
		}
		base = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(base, "tasktide")
}
