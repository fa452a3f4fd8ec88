package sqlstore

import (
	"context"
	"io/fs"
	"slices"
	"strings"

	"tasktide/internal/jobmon"
)

// Migrate brings the schema up to this program's version, and does nothing when it is there. Several
// processes may do so at once. CodeConflict when a newer program has brought it further.
func (s *Store) Migrate(ctx context.Context) error {
	files, err := fs.Glob(s.dialect.Migrations, "*.sql")
	if err != nil {
		return err
	}
	slices.Sort(files)
	return s.update(ctx, func(session session) error {
		_, err := session.exec(ctx, "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY NOT NULL)")
		if err != nil {
			return err
		}
		version, err := one(ctx, session, "", number, "SELECT COALESCE(MAX(version), 0) FROM schema_version")
		if err != nil {
			return err
		}
		if version > int64(len(files)) {
			return jobmon.Errorf(jobmon.CodeConflict,
				"the database has schema version %d and this program knows %d; use the newer program that made it",
				version, len(files))
		}
		for i, file := range files[version:] {
			text, err := fs.ReadFile(s.dialect.Migrations, file)
			if err != nil {
				return err
			}
			for statement := range strings.SplitSeq(string(text), ";\n") {
				if strings.TrimSpace(statement) == "" {
					continue
				}
				if _, err := session.exec(ctx, statement); err != nil {
					return err
				}
			}
			number := version + int64(i) + 1
			if _, err := session.exec(ctx, "INSERT INTO schema_version (version) VALUES (?)", number); err != nil {
				return err
			}
		}
		return nil
	})
}
