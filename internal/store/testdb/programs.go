package testdb

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	_ "github.com/go-sql-driver/mysql" // registers "mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
)

// sources are where Debian keeps the statements that make a MariaDB's own tables.
const sources = "/usr/share/mysql/"

// maxConnections is enough for a test that has many stores open.
const maxConnections = "500"

// find returns the path of a program, or how to install it.
func find(packages string, candidates ...string) (string, error) {
	for _, candidate := range candidates {
		matches, _ := filepath.Glob(candidate)
		slices.Reverse(matches) // the newest version
		for _, match := range append(matches, candidate) {
			if path, err := exec.LookPath(match); err == nil {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("%s is missing; install it with: make setup (as root), or apt-get install --no-install-recommends %s",
		filepath.Base(candidates[len(candidates)-1]), packages)
}

func (s *Server) installMariaDB(settings Settings, port int) error {
	program, err := find("mariadb-server-core", "mariadbd", "/usr/sbin/mariadbd")
	if err != nil {
		return err
	}
	data := filepath.Join(s.directory, "data")
	var bootstrap strings.Builder
	bootstrap.WriteString("CREATE DATABASE mysql;\nUSE mysql;\n")
	for _, name := range []string{"mysql_system_tables.sql", "mysql_system_tables_data.sql"} {
		content, err := os.ReadFile(sources + name)
		if err != nil {
			return err
		}
		bootstrap.Write(content)
	}
	fmt.Fprintf(&bootstrap, "FLUSH PRIVILEGES;\nCREATE USER %s@localhost IDENTIFIED BY '%s';\n", account, password)
	fmt.Fprintf(&bootstrap, "GRANT ALL ON *.* TO %s@localhost WITH GRANT OPTION;\n", account)
	if err := s.run("", "mkdir", data); err != nil {
		return err
	}
	// A server that starts removes the temporary tables it finds: those of another one, where both share a folder.
	places := []string{"--no-defaults", "--datadir=" + data, "--tmpdir=" + s.directory}
	err = s.run(bootstrap.String(), program, append(places, "--bootstrap", "--character-set-server=utf8mb4")...)
	if err != nil {
		return err
	}
	s.command = slices.Concat([]string{program}, places, []string{
		"--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", port), "--max-connections=" + maxConnections,
		"--socket=" + filepath.Join(s.directory, "socket"), "--pid-file=" + filepath.Join(s.directory, "pid"),
	}, settings.MariaDB)
	return nil
}

func (s *Server) installPostgres(settings Settings, port int) error {
	const packages = "postgresql"
	initdb, err := find(packages, "/usr/lib/postgresql/*/bin/initdb", "initdb")
	if err != nil {
		return err
	}
	program, err := find(packages, filepath.Join(filepath.Dir(initdb), "postgres"))
	if err != nil {
		return err
	}
	data := filepath.Join(s.directory, "data")
	if err := s.run(password, "sh", "-c", "umask 077; cat >secret"); err != nil {
		return err
	}
	// The C locale knows the case of no letter beyond ASCII.
	err = s.run("", initdb, "--pgdata="+data, "--username="+account, "--auth=scram-sha-256", "--pwfile=secret",
		"--encoding=UTF8", "--locale=C", "--no-sync")
	if err != nil {
		return err
	}
	s.command = append([]string{
		program, "-D", data, "-p", fmt.Sprint(port), "-k", s.directory, "-c", "listen_addresses=127.0.0.1",
		"-c", "max_connections=" + maxConnections, "-c", "dynamic_shared_memory_type=mmap", // in its own directory
	}, settings.Postgres...)
	return nil
}

// Connect opens a database past the store, without any of its settings. No name stands for the one that
// every server has.
func (s *Server) Connect(database string) (*sql.DB, error) {
	if s.kind == PostgreSQL {
		if database == "" {
			database = "postgres"
		}
		return sql.Open("pgx", s.URL(database)+"?statement_timeout=0&default_transaction_isolation=read%20committed")
	}
	secret, _ := s.user.Password()
	return sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s)/%s?multiStatements=true&autocommit=1&sql_mode=''&charset=utf8mb4",
		s.user.Username(), secret, s.host, database))
}

// makeTemplate makes the database that others are copies of, and returns its name.
func (s *Server) makeTemplate() (string, error) {
	ctx := context.Background()
	name := fmt.Sprintf("tasktide_template_%d", os.Getpid())
	if err := s.Create(ctx, name); err != nil {
		return "", err
	}
	return name, migrate(ctx, s.kind, s.URL(name))
}

// Create makes an empty database.
func (s *Server) Create(ctx context.Context, name string) error {
	_, err := s.admin.ExecContext(ctx, "CREATE DATABASE "+name)
	return err
}

// Drop removes a database.
func (s *Server) Drop(ctx context.Context, name string) error {
	statement := "DROP DATABASE IF EXISTS " + name
	if s.kind == PostgreSQL {
		statement += " WITH (FORCE)"
	}
	_, err := s.admin.ExecContext(ctx, statement)
	return err
}

// Empty makes an empty database that only this test uses, and returns its name.
func (s *Server) Empty(ctx context.Context) (string, error) {
	name := s.newName()
	return name, s.Create(ctx, name)
}

func (s *Server) newName() string {
	return fmt.Sprintf("tasktide_test_%d_%d", os.Getpid(), s.clones.Add(1))
}

// clone makes a copy of the template and returns its name.
func (s *Server) clone(ctx context.Context) (string, error) {
	template, err := s.template()
	if err != nil {
		return "", err
	}
	name := s.newName()
	if s.kind == PostgreSQL {
		_, err = s.admin.ExecContext(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template)
		return name, err
	}
	if err := s.Create(ctx, name); err != nil {
		return "", err
	}
	script, err := s.copy()
	if err != nil {
		return "", err
	}
	_, err = s.admin.ExecContext(ctx, "USE "+name+";"+script+"USE information_schema")
	return name, err
}

// makeCopy makes the statements that copy the template's tables and rows: MySQL cannot copy a database.
func (s *Server) makeCopy() (string, error) {
	template, err := s.template()
	if err != nil {
		return "", err
	}
	ctx := context.Background()
	rows, err := s.admin.QueryContext(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = ?", template)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			return "", err
		}
		tables = append(tables, table)
	}
	if err := rows.Err(); err != nil {
		return "", err
	}
	var script strings.Builder
	script.WriteString("SET foreign_key_checks = 0;")
	for _, table := range tables {
		var name, create string
		err := s.admin.QueryRowContext(ctx, fmt.Sprintf("SHOW CREATE TABLE %s.`%s`", template, table)).Scan(&name, &create)
		if err != nil {
			return "", err
		}
		script.WriteString(create + ";")
		if table != "task_template_version" { // which is empty, and has a column that is computed
			fmt.Fprintf(&script, "INSERT INTO `%s` SELECT seed.* FROM %s.`%s` seed;", //nolint:unqueryvet // a copy has every column
				table, template, table)
		}
	}
	return script.String(), nil
}
