// Package sqlite opens a store in a SQLite file.
//
// The file is in WAL mode with synchronous=FULL: NORMAL would lose what was told done when the power
// goes. One connection writes, in immediate transactions, so that writers queue for it in order and
// never meet a lock half-way; a pool of read-only connections reads beside it.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// busyWait is how long a statement waits for a lock that another process holds.
	busyWait = 2 * time.Second
	// readers is how many transactions may read at once.
	readers = 8
)

// Open opens the store in the file that a URL names, sqlite://PATH with a relative or an absolute
// path; the file is created when it does not exist, its folder is not. The schema is left as it is. An
// error is one sentence that says what to do: CodeInvalid when the URL or the file cannot be used,
// CodeUnavailable when another process holds it.
func Open(ctx context.Context, databaseURL string) (*sqlstore.Store, error) {
	path, exists, err := Find(databaseURL)
	if err != nil {
		return nil, err
	}
	write := sql.OpenDB(connector{dsn(path, false)})
	write.SetMaxOpenConns(1)
	read := sql.OpenDB(connector{dsn(path, true)})
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	opened := sqlstore.New(write, read, dialect(path))
	if err := prepareInTime(ctx, path, !exists, write, opened); err != nil {
		opened.Close() //nolint:gosec // why it could not be opened tells more
		if ctx.Err() != nil {
			err = ctx.Err() // and not that the driver was interrupted
		}
		return nil, sqlstore.ExplainOpening(dialect(path), err)
	}
	return opened, nil
}

// OpenReader opens the store in the file that a URL names, for reading only: neither the file nor its journal mode is
// changed, and transactions that would write fail. CodeNotFound when the file does not exist; other errors are
// those of [Open].
func OpenReader(ctx context.Context, databaseURL string) (*sqlstore.Store, error) {
	path, exists, err := Find(databaseURL)
	if err != nil {
		return nil, err
	}
	if !exists {
		return nil, jobmon.Errorf(jobmon.CodeNotFound, "there is no database %s", path)
	}
	read, write := sql.OpenDB(connector{dsn(path, true)}), sql.OpenDB(connector{dsn(path, true)})
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	opened := sqlstore.New(write, read, dialect(path))
	if _, err := opened.SchemaVersion(ctx); err != nil {
		opened.Close()  //nolint:gosec // why it could not be read tells more
		return nil, err // it has its sentence
	}
	return opened, nil
}

// Find returns the absolute path that a URL names, and whether the file is there. CodeInvalid when [Open] could
// not use it.
func Find(databaseURL string) (path string, exists bool, err error) {
	if path, err = filePath(databaseURL); err != nil {
		return "", false, err
	}
	exists, err = checkFile(path)
	return path, exists, err
}

// filePath returns the absolute path that a URL names.
func filePath(databaseURL string) (string, error) {
	rest, ok := strings.CutPrefix(databaseURL, "sqlite://")
	if !ok {
		return "", jobmon.Errorf(jobmon.CodeInvalid, "the database URL %q does not begin with sqlite://", databaseURL)
	}
	if strings.Contains(rest, "?") {
		return "", jobmon.Errorf(jobmon.CodeInvalid,
			"the database URL %q has parameters, and there are none; write a ? in a file's name as %%3F", databaseURL)
	}
	path, err := url.PathUnescape(rest)
	if err != nil {
		return "", jobmon.Errorf(jobmon.CodeInvalid,
			"the database URL %q has a %% that encodes nothing; write a %% in a file's name as %%25", databaseURL)
	}
	switch {
	case path == "", strings.HasSuffix(path, "/"):
		return "", jobmon.Errorf(jobmon.CodeInvalid,
			"the database URL %q names no file; write sqlite://FILE or sqlite:///FOLDER/FILE", databaseURL)
	case path == ":memory:":
		return "", jobmon.Errorf(jobmon.CodeInvalid, "a database in memory cannot be shared by connections; name a file")
	case strings.ContainsRune(path, 0):
		return "", jobmon.Errorf(jobmon.CodeInvalid, "the database URL holds a NUL character")
	}
	return filepath.Abs(path)
}

// checkFile looks for what SQLite would only call "unable to open database file", and tells whether the
// file is there. It must not open the file: closing it again would take away the locks that another
// connection of this process holds.
func checkFile(path string) (exists bool, err error) {
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return false, jobmon.Errorf(jobmon.CodeInvalid, "there is no folder %s for the database; create it or name another file",
			filepath.Dir(path))
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		return false, jobmon.Errorf(jobmon.CodeInvalid, "%s is not a file; name a file for the database", path)
	}
	return true, nil
}

// dsn holds every setting of a connection: a pragma that is sent through a pool reaches one
// connection only.
func dsn(path string, readOnly bool) string {
	settings := url.Values{
		"_busy_timeout": {fmt.Sprint(busyWait.Milliseconds())},
		"_foreign_keys": {"on"},
		"_synchronous":  {"FULL"},
		"_dqs":          {"false"},
		"_defensive":    {"true"},
		"_txlock":       {"immediate"},
		"mode":          {"rwc"},
	}
	if readOnly {
		settings.Set("_txlock", "deferred")
		settings.Set("_query_only", "on")
		settings.Set("mode", "ro")
	}
	file := url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}
	return file.String()
}

// prepareInTime is prepare, again while other processes do the same: a change of the journal mode
// refuses them, and is refused, without the wait that SQLite has for every other lock.
func prepareInTime(ctx context.Context, path string, isNew bool, write *sql.DB, opened *sqlstore.Store) error {
	for begun := time.Now(); ; {
		err := prepare(ctx, path, isNew, write, opened)
		if err == nil || !crossed(err) || time.Since(begun) >= busyWait {
			return err
		}
		pause := time.NewTimer(rand.N(50 * time.Millisecond))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
	}
}

// prepare brings a file into the state that the store needs.
func prepare(ctx context.Context, path string, isNew bool, write *sql.DB, opened *sqlstore.Store) error {
	if err := write.PingContext(ctx); err != nil {
		return err
	}
	if isNew {
		// Other users have no business here. The files beside it take over its permissions.
		if err := os.Chmod(path, 0o600); err != nil {
			return err
		}
	}
	// Before anything is changed: the file may be another program's.
	if _, err := opened.SchemaVersion(ctx); err != nil {
		return err
	}
	var mode string
	if err := write.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		if err := write.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
			return err
		}
	}
	if mode != "wal" {
		return errNoWAL
	}
	return nil
}

var errNoWAL = errors.New("no WAL mode")

// drv is the driver with the functions that SQLite itself lacks.
var drv = newDriver()

func newDriver() *sqlite.Driver {
	d := &sqlite.Driver{}
	now := func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
		return time.Now().UnixMicro(), nil // SQLite's own clock has milliseconds
	}
	lower := func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		if text, ok := args[0].(string); ok {
			return strings.ToLower(text), nil // SQLite's own knows ASCII only
		}
		return args[0], nil
	}
	// Both fail only when a name is registered twice.
	if err := errors.Join(
		d.RegisterScalarFunction("tasktide_now", 0, now),
		d.RegisterDeterministicScalarFunction("tasktide_lower", 1, lower),
	); err != nil {
		panic(err)
	}
	return d
}

// connector opens connections with a DSN, without registering a driver for the whole process.
type connector struct{ dsn string }

// Connect implements [driver.Connector].
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	opened, err := drv.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	return &conn{opened.(driverConn), map[string]*prepared{}}, nil //nolint:forcetypeassert // a test opens one
}

// Driver implements [driver.Connector].
func (c connector) Driver() driver.Driver { return drv }
