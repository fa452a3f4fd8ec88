package main

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/mysql"
	"tasktide/internal/store/postgres"
	"tasktide/internal/store/sqlite"
	"tasktide/internal/store/sqlstore"
)

// databaseFlag is the flag of every command that opens a database.
type databaseFlag struct {
	DatabaseURL string `env:"TASKTIDE_DATABASE_URL" default:"${default_database}" placeholder:"URL" help:"Where the data is: sqlite://PATH, mysql://USER:PASSWORD@HOST/DATABASE or postgres://USER:PASSWORD@HOST/DATABASE (${default_database_shown})."`
}

const sqliteScheme = "sqlite"

// drivers opens a database by the scheme of its URL.
var drivers = map[string]func(ctx context.Context, databaseURL string) (*sqlstore.Store, error){
	sqliteScheme: sqlite.Open,
	"mysql":      mysql.Open,
	"postgres":   postgres.Open,
}

func (f databaseFlag) scheme() string {
	scheme, _, _ := strings.Cut(f.DatabaseURL, "://")
	return scheme
}

// connect opens the database and leaves its schema as it is.
func (f databaseFlag) connect(ctx context.Context) (*sqlstore.Store, error) {
	open, known := drivers[f.scheme()]
	if f.DatabaseURL == "" && defaultDatabaseURL() == "" {
		return nil, jobmon.Errorf(jobmon.CodeInvalid,
			"there is no default database because HOME is not set; name one with --database-url or TASKTIDE_DATABASE_URL")
	}
	if !known {
		return nil, jobmon.Errorf(jobmon.CodeInvalid, "the database URL must begin with sqlite://, mysql:// or postgres://")
	}
	if f.DatabaseURL == defaultDatabaseURL() {
		if err := os.MkdirAll(dataDirectory(), 0o700); err != nil {
			return nil, jobmon.Errorf(jobmon.CodeInvalid,
				"the default data directory cannot be made (%w); name a database with --database-url", err)
		}
	}
	return open(ctx, f.DatabaseURL)
}

// migrates tells whether the schema is to be brought up to this program's version. Nil means yes for SQLite, whose
// file is ours alone, and no for others.
func (f databaseFlag) migrates(migrate *bool) bool {
	if migrate != nil {
		return *migrate
	}
	return f.scheme() == sqliteScheme
}

// open opens the database for use: where it is not to be migrated, its schema has to be there.
func (f databaseFlag) open(ctx context.Context, migrate *bool) (*sqlstore.Store, error) {
	db, err := f.connect(ctx)
	if err != nil {
		return nil, err
	}
	if f.migrates(migrate) {
		_, _, err = db.Migrate(ctx)
	} else {
		err = db.CheckSchema(ctx)
	}
	if err == nil {
		err = db.CheckWritable(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// shown is the database's URL without its password.
func (f databaseFlag) shown() string { return withoutPassword(f.DatabaseURL) }

// pasted returns the value of --database-url with which a command reaches this database from any directory, and ""
// when it needs none. It is false when the URL holds a secret.
func (f databaseFlag) pasted() (databaseURL string, ok bool) {
	if f.shown() != f.DatabaseURL {
		return "", false
	}
	if set, isSet := os.LookupEnv("TASKTIDE_DATABASE_URL"); f.DatabaseURL == defaultDatabaseURL() && (!isSet || set == f.DatabaseURL) {
		return "", true
	}
	if f.scheme() == sqliteScheme {
		if path, _, err := sqlite.Find(f.DatabaseURL); err == nil {
			return sqliteURL(path), true
		}
	}
	return f.DatabaseURL, true
}

// defaultDatabaseURL is empty when nothing says where a user's data goes.
func defaultDatabaseURL() string {
	directory := dataDirectory()
	if directory == "" {
		return ""
	}
	return sqliteURL(filepath.Join(directory, "tasktide.db"))
}

func sqliteURL(path string) string {
	return sqliteScheme + "://" + (&url.URL{Path: path}).EscapedPath()
}

// dataDirectory is where the XDG base directory specification puts a user's data, and empty without HOME.
func dataDirectory() string {
	base := os.Getenv("XDG_DATA_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(base, "tasktide")
}

type migrateCommand struct {
	databaseFlag
	outputFlags
}

// migrateDocument is the result of the command.
type migrateDocument struct {
	Database              string `json:"database"` // its URL without the password
	SchemaVersion         int64  `json:"schema_version"`
	PreviousSchemaVersion int64  `json:"previous_schema_version"`
}

// Help is shown under the command's --help.
func (migrateCommand) Help() string {
	return `Brings the schema of the database up to this program's version, and does nothing when it is there.
Several may do so at once. The database itself must exist, and belong to nobody else.

Example:

    tasktide migrate --database-url postgres://tasktide:secret@db.example.org/tasktide`
}

func (migrateCommand) interrupted() string {
	return "the schema may not be at this program's version yet; run tasktide migrate again, it continues where it stopped"
}

// Run migrates the schema.
func (c migrateCommand) Run(ctx context.Context, t *terminal) (err error) {
	db, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	before, after, err := db.Migrate(ctx)
	if err != nil {
		return err
	}
	return t.result(migrateDocument{c.shown(), after, before},
		t.prose("The schema of %s is at version %d; it was at %d.\n", c.shown(), after, before))
}
