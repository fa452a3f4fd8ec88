package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/sqlstore"
)

func dialect(path string) sqlstore.Dialect {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the path is a constant
	}
	return sqlstore.Dialect{
		System:     "sqlite",
		Migrations: files,
		Tables:     "SELECT name FROM sqlite_schema WHERE type = 'table'",
		Clock:      "SELECT tasktide_now()",
		Parameter:  func(int) string { return "?" },
		OneOf: func(column string, ids []int64) (string, []any) {
			list, err := json.Marshal(ids)
			if err != nil {
				panic(err) // integers always encode
			}
			return column + " IN (SELECT value FROM json_each(?))", []any{string(list)}
		},
		Greatest:     "MAX",
		Lower:        func(text string) string { return "tasktide_lower(" + text + ")" },
		SkipExisting: func(string) string { return " ON CONFLICT DO NOTHING" },
		Overwrite:    sqlstore.OverwriteOnConflict,
		UseIndex:     func(string) string { return "" },
		Instant:      func(microseconds int64) any { return microseconds },
		Room:         func(context.Context, func(string) error) error { return write(filepath.Dir(path), room) },
		Intact:       "PRAGMA quick_check(1)",
		Database:     jobmon.Database{Name: "the database " + path, File: true},
		Classify:     func(err error) sqlstore.Failure { return classify(path, err) },
		Explain:      func(err error) *jobmon.Error { return explain(path, err) },
	}
}

// classify knows SQLite's result codes; the low byte of an extended code is the primary one.
func classify(path string, err error) sqlstore.Failure {
	failure, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		if errors.Is(err, driver.ErrBadConn) {
			return sqlstore.Outage(jobmon.CauseUnreachable)
		}
		if cause := causeOf(err); cause != "" {
			return sqlstore.Outage(cause)
		}
		return sqlstore.Unknown()
	}
	switch failure.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return sqlstore.Request(jobmon.CodeConflict)
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return sqlstore.Request(jobmon.CodeNotFound)
	case sqlite3.SQLITE_CONSTRAINT_CHECK:
		return sqlstore.Request(jobmon.CodeInvalid)
	case sqlite3.SQLITE_READONLY_DBMOVED:
		return sqlstore.Outage(jobmon.CauseMissing)
	case sqlite3.SQLITE_IOERR_CORRUPTFS:
		return sqlstore.Outage(jobmon.CauseCorrupt)
	}
	switch failure.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return sqlstore.Contended(jobmon.CauseLocked)
	case sqlite3.SQLITE_TOOBIG:
		return sqlstore.Request(jobmon.CodeTooLarge)
	case sqlite3.SQLITE_FULL:
		return sqlstore.Outage(jobmon.CauseDiskFull)
	case sqlite3.SQLITE_READONLY:
		return sqlstore.Outage(jobmon.CauseReadOnly)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return sqlstore.Outage(jobmon.CauseCorrupt)
	case sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return sqlstore.Outage(jobmon.CausePermission)
	case sqlite3.SQLITE_IOERR:
		return sqlstore.Outage(cmp.Or(probe(path, shared), jobmon.CauseIO))
	case sqlite3.SQLITE_CANTOPEN:
		return sqlstore.Outage(cmp.Or(probe(path, shared), jobmon.CausePermission))
	}
	return sqlstore.Unknown()
}

// crossed reports whether another process that opens the same file at this moment got in the way.
func crossed(err error) bool {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return false
	}
	switch failure.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true
	}
	// It has removed the journal that this one was about to remove.
	return failure.Code() == sqlite3.SQLITE_IOERR_DELETE_NOENT
}

// explain says what a cause alone does not tell.
func explain(path string, err error) *jobmon.Error {
	if errors.Is(err, errNoWAL) {
		return jobmon.Errorf(jobmon.CodeInvalid,
			"the database %s is on a file system that cannot share memory between processes; name a file on a local disk", path)
	}
	if failure, ok := errors.AsType[*sqlite.Error](err); ok && failure.Code()&0xff == sqlite3.SQLITE_NOTADB {
		return jobmon.Errorf(jobmon.CodeInvalid, "the file %s is not a SQLite database, or is corrupt; name another file", path)
	}
	return nil
}
