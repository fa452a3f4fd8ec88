package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"tasktide/internal/jobmon"
)

// SchemaVersion returns the version of the database's schema, 0 when the database is empty.
// CodeInvalid when it holds another program's tables.
func (s *Store) SchemaVersion(ctx context.Context) (version int64, err error) {
	err = s.transact(ctx, s.write, nil, func(session session) error {
		version, err = session.schemaVersion(ctx)
		return err
	})
	return version, s.explain(err)
}

func (s session) schemaVersion(ctx context.Context) (int64, error) {
	tables, err := all(ctx, s, func(name *string) []any { return []any{name} }, s.store.dialect.Tables)
	switch {
	case err != nil || len(tables) == 0:
		return 0, err
	case !slices.Contains(tables, "schema_version"):
		return 0, jobmon.Errorf(jobmon.CodeInvalid, "the database belongs to another program; name another one")
	}
	return one(ctx, s, "", number, "SELECT COALESCE(MAX(version), 0) FROM schema_version")
}

// CheckSchema returns CodeConflict when the schema is not at this program's version.
func (s *Store) CheckSchema(ctx context.Context) error {
	version, err := s.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	return s.checkVersion(version)
}

// CheckReady is CheckSchema through the connections that read, so that no writer holds it up.
func (s *Store) CheckReady(ctx context.Context) error {
	var version int64
	err := s.transact(ctx, s.read, &sql.TxOptions{ReadOnly: true}, func(session session) (err error) {
		version, err = session.schemaVersion(ctx)
		return err
	})
	if err != nil {
		return err
	}
	return s.checkVersion(version)
}

func (s *Store) checkVersion(version int64) error {
	migrations, err := s.migrations()
	if err != nil {
		return err
	}
	if version < int64(len(migrations)) {
		return jobmon.Errorf(jobmon.CodeConflict,
			"the database has schema version %d and this program needs %d; run tasktide migrate first", version, len(migrations))
	}
	return refuseNewer(version, migrations)
}

// CheckMigratable returns CodeConflict when the schema is newer than this program's version, and CodeInvalid when
// the database holds another program's tables.
func (s *Store) CheckMigratable(ctx context.Context) error {
	version, err := s.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	migrations, err := s.migrations()
	if err != nil {
		return err
	}
	return refuseNewer(version, migrations)
}

func refuseNewer(version int64, migrations []string) error {
	if version > int64(len(migrations)) {
		return jobmon.Errorf(jobmon.CodeConflict,
			"the database has schema version %d and this program knows %d; use the newer program that made it",
			version, len(migrations))
	}
	return nil
}

// CheckWritable returns an error when the account may not add, change and remove rows. It leaves nothing behind. A
// database that is empty is not tried.
func (s *Store) CheckWritable(ctx context.Context) error {
	err := s.transact(ctx, s.write, nil, func(session session) error {
		if version, err := session.schemaVersion(ctx); err != nil || version == 0 {
			return err
		}
		for _, statement := range []string{
			"INSERT INTO schema_version (version) VALUES (0)",
			"UPDATE schema_version SET version = -1 WHERE version = 0",
			"DELETE FROM schema_version WHERE version = -1",
		} {
			if _, err := session.exec(ctx, statement); err != nil {
				return err
			}
		}
		return errUndone
	})
	if errors.Is(err, errUndone) {
		return nil
	}
	return s.explain(err)
}

// migrations returns the names of the migrations in their order.
func (s *Store) migrations() ([]string, error) {
	files, err := fs.Glob(s.dialect.Migrations, "*.sql")
	slices.Sort(files)
	return files, err
}

// Migrate brings the schema up to this program's version, and does nothing when it is there. It returns
// the versions before and after. Several processes may do so at once; one that is ended half-way leaves
// nothing that keeps the next from doing it. CodeInvalid when the database holds another program's
// tables; CodeConflict when a newer program has brought it further.
func (s *Store) Migrate(ctx context.Context) (before, after int64, err error) {
	err = s.retry(ctx, func() error {
		before, after, err = s.migrate(ctx)
		return err
	})
	return before, after, s.explain(err)
}

func (s *Store) migrate(ctx context.Context) (before, after int64, err error) {
	if err := s.enter(); err != nil {
		return 0, 0, err
	}
	defer s.underway.Done()
	conn, err := s.connect(ctx, s.write)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	if s.dialect.Lock != "" {
		if err := s.lockSchema(ctx, conn); err != nil {
			return 0, 0, err
		}
		// The lock ends with its connection, whatever has happened to it.
		defer func() { _ = conn.Raw(func(any) error { return driver.ErrBadConn }) }()
	}
	_, err = s.transactOn(ctx, conn, nil, nil, func(session session) error {
		before, after, err = session.migrate(ctx)
		return err
	})
	return before, after, err
}

// lockSchema keeps other processes from changing the schema. The lock belongs to the connection and not
// to a transaction, which some databases end with every change of the schema.
func (s *Store) lockSchema(ctx context.Context, conn *sql.Conn) error {
	var granted sql.NullInt64
	if err := conn.QueryRowContext(ctx, s.dialect.Lock).Scan(&granted); err != nil {
		return s.fail(ctx, err)
	}
	if granted.Int64 != 1 {
		return jobmon.Errorf(jobmon.CodeContention, "another process is changing the schema of the database; try again")
	}
	return nil
}

func (s session) migrate(ctx context.Context) (before, after int64, err error) {
	files, err := s.store.migrations()
	if err != nil {
		return 0, 0, err
	}
	if before, err = s.schemaVersion(ctx); err != nil {
		return 0, 0, err
	}
	if err := refuseNewer(before, files); err != nil {
		return before, before, err
	}
	_, err = s.exec(ctx, "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY NOT NULL)")
	if err != nil {
		return before, before, err
	}
	for i, file := range files[before:] {
		text, err := fs.ReadFile(s.store.dialect.Migrations, file)
		if err != nil {
			return before, before, err
		}
		for statement := range strings.SplitSeq(string(text), ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			// As it stands: a question mark in a comment is no parameter.
			if _, err := s.tx.ExecContext(ctx, statement); err != nil {
				return before, before, s.fail(ctx, err)
			}
		}
		after = before + int64(i) + 1
		if _, err := s.exec(ctx, "INSERT INTO schema_version (version) VALUES (?)", after); err != nil {
			return before, before, err
		}
	}
	return before, int64(len(files)), nil
}

// explain gives an error of the database, unless it has a sentence of its own already, the one that an operator needs.
func (s *Store) explain(err error) error {
	known, ok := errors.AsType[*jobmon.Error](err)
	switch {
	case err == nil:
		return nil
	case ok && known.Err == nil:
		return err
	case ok:
		err = known.Err
	}
	return s.dialect.explain(err)
}

// ExplainOpening says in one sentence why a database of a dialect could not be opened.
func ExplainOpening(dialect Dialect, err error) error {
	if known, ok := errors.AsType[*jobmon.Error](err); ok && known.Err == nil {
		return err
	}
	return dialect.explain(err)
}

func (d Dialect) explain(err error) error {
	failure := d.Classify(err)
	told := &jobmon.Error{Code: jobmon.CodeUnavailable, Cause: failure.Cause, Err: err}
	if errors.Is(err, context.Canceled) || failure.Cause == "" && errors.Is(err, context.DeadlineExceeded) {
		told.Message = d.Database.Name + " did not answer in time; try again"
		return told
	}
	if exact := d.Explain(err); exact != nil {
		told.Code, told.Message = exact.Code, exact.Message
		return told
	}
	if told.Message = failure.Cause.Sentence(d.Database); told.Message != "" {
		return told
	}
	told.Code = failure.Code
	if told.Message = messages[failure.Code]; told.Message == "" {
		told.Message = d.Database.Name + " cannot be opened: " + err.Error()
	}
	return told
}
