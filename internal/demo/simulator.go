package demo

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// Config says what a [Simulator] drives. Only BaseURL is needed.
type Config struct {
	// BaseURL is where the server's state routes are, such as http://127.0.0.1:8070/api/v3.
	BaseURL string
	// Seed decides run times, failures and the order of tasks. What the server's own pace decides
	// differs from run to run.
	Seed uint64
	// MaxConcurrentlyRunning is the limit of each workflow, in tasks that are active at once; 120
	// when 0. The simulator lets that many and a quarter of that many run, in turns.
	MaxConcurrentlyRunning int
	// Templates is the number of a workflow's templates, and 12 at most; 12 when 0.
	Templates int
	// TasksPerTemplate is the number of tasks of each of them; 200 when 0.
	TasksPerTemplate int
	// Name is that of the workflows, before their numbers; "live_pipeline" when empty.
	Name string
	// Cluster and Queue are where the tasks pretend to run; "multiprocess" and "null.q" when empty.
	Cluster, Queue string
	// Transport sends the requests; [http.DefaultTransport] when nil.
	Transport http.RoundTripper
	// Log is told of every workflow that begins and of each that had to be given up;
	// [slog.Default] when nil.
	Log *slog.Logger
}

const (
	pauseBetween      = 3 * time.Second
	pauseAfterFailure = 15 * time.Second
)

// Simulator drives one workflow after another through a server's state routes, in real time, as
// JobMon's client, distributor and workers do together: at most 100 requests a second, one after
// another. It runs nothing: its tasks only tell the server how they fare. Run times are between 2
// and 60 seconds, and 3 % of the attempts fail and are tried again.
type Simulator struct {
	config Config
	client client
	rng    *rand.Rand
	log    *slog.Logger
	begun  chan struct{} // closed when the first workflow is bound
}

// NewSimulator returns a simulator that has not begun.
func NewSimulator(config Config) *Simulator {
	config.BaseURL = strings.TrimRight(config.BaseURL, "/")
	config.MaxConcurrentlyRunning = cmp.Or(config.MaxConcurrentlyRunning, 120)
	config.Templates = cmp.Or(config.Templates, len(liveTemplates))
	config.TasksPerTemplate = cmp.Or(config.TasksPerTemplate, 200)
	config.Name = cmp.Or(config.Name, "live_pipeline")
	config.Cluster = cmp.Or(config.Cluster, "multiprocess")
	config.Queue = cmp.Or(config.Queue, "null.q")
	rng := rand.New(rand.NewPCG(config.Seed, 0))
	return &Simulator{
		config: config,
		client: client{baseURL: config.BaseURL, http: &http.Client{Transport: config.Transport}, rng: rng, spacing: requestSpacing},
		rng:    rng,
		log:    cmp.Or(config.Log, slog.Default()),
		begun:  make(chan struct{}),
	}
}

// Begun returns a channel that is closed once the first workflow is there to be looked at.
func (s *Simulator) Begun() <-chan struct{} { return s.begun }

// Run drives workflows until the context ends, and then returns nil; the workflow under way stays
// as it is. A workflow that the server does not let it drive, it gives up, and soon begins another.
// It must not be called twice.
func (s *Simulator) Run(ctx context.Context) error {
	for number := 1; ctx.Err() == nil; number++ {
		pause := pauseBetween
		if err := s.drive(ctx, number); err != nil && ctx.Err() == nil {
			pause = pauseAfterFailure
			s.log.ErrorContext(ctx, "the demo gave up its live workflow and soon begins another",
				"error", err, "pause", pause)
		}
		_ = wait(ctx, pause) // only the end of the context ends it early
	}
	return nil
}

func (s *Simulator) drive(ctx context.Context, number int) error {
	bound, err := s.bind(ctx, number)
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "the demo's live workflow has begun", "workflow_id", bound.workflowID)
	select {
	case <-s.begun:
	default:
		close(s.begun)
	}
	return newLiveRun(s, bound).play(ctx)
}
