package testdb

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The account that tests use. Its password is what a URL has to escape.
const (
	account  = "tasktide"
	password = "p@ss: w/ö%rd?"
)

// startTime is how long a server may take until it answers.
const startTime = time.Minute

// Server is a database server. It is safe for concurrent use but for Kill and Restart.
type Server struct {
	kind      Kind
	directory string // empty for a server that is not ours
	host      string
	user      *url.Userinfo
	command   []string
	admin     *sql.DB

	lifeline io.WriteCloser  // ends the server when it is closed, by the end of this process too
	exited   <-chan struct{} // closed when the server has ended

	template, copy func() (string, error)
	clones         atomic.Int64
}

// Settings are how a server is started.
type Settings struct {
	Directory string   // where its data goes; empty for memory where there is some, else a temporary one
	MariaDB   []string // arguments of its server
	Postgres  []string // arguments of its server
}

// Hostile returns settings under which a connection that sets nothing would give wrong answers.
func Hostile() Settings {
	return Settings{
		MariaDB: []string{
			"--sql-mode=", "--default-time-zone=+05:45", "--transaction-isolation=SERIALIZABLE", "--autocommit=0",
			"--character-set-server=latin1", "--collation-server=latin1_swedish_ci", "--default-storage-engine=Aria",
			"--innodb-lock-wait-timeout=50",
		},
		Postgres: []string{
			"-c", "timezone=Asia/Kathmandu", "-c", "default_transaction_isolation=serializable",
			"-c", "default_transaction_deferrable=on", "-c", "statement_timeout=50", "-c", "datestyle=German,DMY",
		},
	}
}

var (
	startedMu sync.Mutex
	started   []*Server
)

func register(s *Server) {
	startedMu.Lock()
	defer startedMu.Unlock()
	started = append(started, s)
}

// stopAll ends the servers that this process started.
func stopAll() {
	startedMu.Lock()
	defer startedMu.Unlock()
	for _, server := range started {
		server.Stop()
	}
}

// Start starts a private server. It is ended by [Server.Stop], [Main] or the end of this process. The
// error names what has to be installed when its program is missing.
func Start(kind Kind, settings Settings) (*Server, error) {
	directory, err := os.MkdirTemp(baseDirectory(settings), "tasktide-"+string(kind)+"-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{
		kind: kind, directory: directory, host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		user: url.UserPassword(account, password),
	}
	s.template, s.copy = sync.OnceValues(s.makeTemplate), sync.OnceValues(s.makeCopy)
	register(s)
	install := map[Kind]func(Settings, int) error{MariaDB: s.installMariaDB, PostgreSQL: s.installPostgres}[kind]
	err = s.giveAway()
	if err == nil {
		err = install(settings, port)
	}
	if err == nil {
		err = s.Restart()
	}
	if err != nil {
		s.Stop()
		return nil, fmt.Errorf("a private %s cannot be started: %w", kind, err)
	}
	return s, nil
}

// foreign makes a server of an address that somebody gave.
func foreign(address string) (*Server, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%s is no URL", mysqlURL)
	}
	s := &Server{kind: MySQL, host: parsed.Host, user: parsed.User}
	s.template, s.copy = sync.OnceValues(s.makeTemplate), sync.OnceValues(s.makeCopy)
	s.admin, err = s.Connect("")
	register(s)
	return s, err
}

// baseDirectory is where the data of databases goes: into memory where there is some, since what a test
// stores need not outlive it.
func baseDirectory(settings Settings) string {
	const memory = "/dev/shm"
	if settings.Directory != "" {
		return settings.Directory
	}
	if syscall.Access(memory, 2) == nil {
		return memory
	}
	return ""
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

// URL returns the address of a database of this server.
func (s *Server) URL(database string) string {
	scheme := map[Kind]string{MariaDB: "mysql", MySQL: "mysql", PostgreSQL: "postgres"}[s.kind]
	return (&url.URL{Scheme: scheme, User: s.user, Host: s.host, Path: "/" + database}).String()
}

// Data returns the folder of the server's data.
func (s *Server) Data() string { return filepath.Join(s.directory, "data") }

// Unprivileged returns the attributes of a process that runs as the account "nobody" when this one runs as root, and as
// the same user otherwise. Database servers refuse to run as root.
func Unprivileged() (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, nil
	}
	uid, gid, err := nobody()
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

func nobody() (uid, gid int, err error) {
	account, err := user.Lookup("nobody")
	if err != nil {
		return 0, 0, err
	}
	uid, err = strconv.Atoi(account.Uid)
	if err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(account.Gid)
	return uid, gid, err
}

// giveAway makes the directory the unprivileged account's.
func (s *Server) giveAway() error {
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := nobody()
	if err != nil {
		return err
	}
	return os.Chown(s.directory, uid, gid)
}

// run runs a program to its end with what it is to read.
func (s *Server) run(input string, name string, args ...string) error {
	attributes, err := Unprivileged()
	if err != nil {
		return err
	}
	command := exec.Command(name, args...)
	command.SysProcAttr = attributes
	command.Dir = s.directory
	command.Stdin = strings.NewReader(input)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(name), err, output)
	}
	return nil
}

// supervise starts a server. It kills it when a line is written to it, and when its own input ends it
// ends it with the signal that is its first argument and removes its folder. It ends with the server.
const supervise = `signal=$1
shift
exec 3<&0
"$@" </dev/null >>log 2>&1 &
server=$!
(if read -r _ <&3; then kill -KILL $server; else touch over; kill -"$signal" $server; fi) &
wait $server
kill %2
if [[ -e over ]]; then rm -rf "$PWD"; fi`

// Restart starts the server again after [Server.Kill], and waits until it answers.
func (s *Server) Restart() error {
	deadline := time.Now().Add(startTime)
	for {
		err := s.launch()
		if err == nil {
			err = s.awaitAnswer(deadline)
		}
		if err == nil || time.Now().After(deadline) {
			return err
		}
		// What a killed server left running may still hold its memory.
		s.Kill()
	}
}

func (s *Server) launch() error {
	attributes, err := Unprivileged()
	if err != nil {
		return err
	}
	// PostgreSQL's processes end together at this signal; the others are one each.
	signal := map[Kind]string{MariaDB: "KILL", PostgreSQL: "QUIT", redis: "KILL"}[s.kind]
	process := exec.Command("bash", append([]string{"-c", supervise, "bash", signal}, s.command...)...)
	process.Dir = s.directory
	process.SysProcAttr = attributes
	if s.lifeline, err = process.StdinPipe(); err != nil {
		return err
	}
	if err := process.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	s.exited = exited
	go func() {
		_ = process.Wait()
		close(exited)
	}()
	return nil
}

// awaitAnswer waits until the server answers, and fails when it ends or does not until the deadline.
func (s *Server) awaitAnswer(deadline time.Time) error {
	if s.admin == nil {
		admin, err := s.Connect("")
		if err != nil {
			return err
		}
		s.admin = admin
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		err := s.admin.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-look.C:
			continue
		case <-s.exited:
		case <-ctx.Done():
		}
		log, _ := os.ReadFile(filepath.Join(s.directory, "log"))
		return fmt.Errorf("it does not answer (%w); its log: %s", err, log)
	}
}

// Kill ends the server as a power cut of its own would, and returns when it is gone.
func (s *Server) Kill() {
	if s.lifeline == nil {
		return
	}
	_, _ = io.WriteString(s.lifeline, "kill\n")
	<-s.exited
	_ = s.lifeline.Close()
	s.lifeline = nil
}

// Shutdown ends a MariaDB in good order, with all that it stored in its files, and returns when it is gone.
func (s *Server) Shutdown() error {
	if _, err := s.admin.ExecContext(context.Background(), "SHUTDOWN"); err != nil {
		return err
	}
	<-s.exited
	_ = s.lifeline.Close()
	s.lifeline = nil
	return nil
}

// Stop ends the server and removes all that it stored.
func (s *Server) Stop() {
	if s.directory == "" {
		if name, err := s.template(); err == nil {
			_ = s.Drop(context.Background(), name)
		}
	}
	if s.admin != nil {
		_ = s.admin.Close()
	}
	if s.lifeline != nil {
		_ = s.lifeline.Close()
		<-s.exited
	}
	if s.directory != "" {
		_ = os.RemoveAll(s.directory)
	}
}

// dropAfter removes a database when the test has ended.
func (s *Server) dropAfter(t testing.TB, name string) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), startTime)
		defer cancel()
		if err := s.Drop(ctx, name); err != nil {
			t.Errorf("the test's database cannot be removed: %v", err)
		}
	})
}
