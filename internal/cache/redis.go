package cache

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/sony/gobreaker/v2"

	"tasktide/internal/jobmon"
)

// RedisConfig is how a Redis is used. The URL is required.
type RedisConfig struct {
	// URL is redis://USER:PASSWORD@HOST:PORT/DATABASE, rediss:// with TLS, or unix:///PATH.
	URL string
	// Prefix begins every key. Whoever computes other answers to the same questions, from another database or
	// in another version, must have another one.
	Prefix string
	// Log hears when Redis stops answering and when it answers again. nil means [slog.Default].
	Log *slog.Logger

	// GetTimeout is how long an answer may wait for Redis. 0 means 50 ms: to compute one takes little longer.
	GetTimeout time.Duration
	// PutTimeout is how long one is stored for, while nobody waits. 0 means 1 s.
	PutTimeout time.Duration
	// Rest is how long Redis is left alone after it has failed three times in a row. 0 means 5 s.
	Rest time.Duration
	// Expiry is how long an answer is kept. 0 means an hour.
	Expiry time.Duration
}

const (
	// largestInRedis is how long a value may be, in bytes, and putsAtOnce how many are on their way to Redis;
	// what comes while there are as many is not kept. Both together bound the memory that a slow Redis takes.
	largestInRedis = 8 << 20
	putsAtOnce     = 4
	// failures in a row are how many make Redis count as gone.
	failures = 3
	// connections is how many there are at most. Who finds all of them in use waits no longer than for Redis.
	connections = 16
)

// Redis keeps values in a Redis server, for as long as it likes. Whatever it does, or does not do, costs time at
// most: each call is bounded, a server that fails is left alone for a while, and a value that is not what was put
// under its key is not found. It is safe for concurrent use.
type Redis struct {
	config  RedisConfig
	client  *redis.Client
	breaker *gobreaker.CircuitBreaker[[]byte]
	last    atomic.Value // of failure

	hits, misses, passed atomic.Int64

	putting chan struct{} // holds one for each that is on its way
	running sync.WaitGroup
}

// failure wraps an error, since an [atomic.Value] holds one type.
type failure struct{ error }

// NewRedis returns a cache in a Redis server, which need not be there yet. CodeInvalid for a URL that says no
// server.
func NewRedis(config RedisConfig) (*Redis, error) {
	options, err := redis.ParseURL(config.URL)
	if err != nil {
		// What it says may hold the password.
		return nil, jobmon.Errorf(jobmon.CodeInvalid,
			"the Redis URL cannot be read; write redis://USER:PASSWORD@HOST:PORT/DATABASE, rediss:// for TLS, or unix:///PATH")
	}
	config.Log = cmp.Or(config.Log, slog.Default())
	config.GetTimeout = cmp.Or(config.GetTimeout, 50*time.Millisecond)
	config.PutTimeout = cmp.Or(config.PutTimeout, time.Second)
	config.Rest = cmp.Or(config.Rest, 5*time.Second)
	config.Expiry = cmp.Or(config.Expiry, time.Hour)

	// It would log each connection that fails. What is worth it is logged here, once.
	logging.Disable()
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1
	options.DialTimeout, options.DialerRetries = config.PutTimeout, 1
	options.PoolSize, options.MaxActiveConns, options.PipelinePoolSize = connections, connections, -1
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}

	dial := redis.NewDialer(options)
	options.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &guarded{Conn: connection}, nil
	}

	r := &Redis{config: config, client: redis.NewClient(options), putting: make(chan struct{}, putsAtOnce)}
	r.breaker = gobreaker.NewCircuitBreaker[[]byte](gobreaker.Settings{
		Timeout:       config.Rest,
		ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failures },
		IsSuccessful:  answered,
		IsExcluded:    func(err error) bool { return errors.Is(err, context.Canceled) }, // who asked has gone
		OnStateChange: r.tell,
	})
	return r, nil
}

// answered reports whether Redis did what it is there for: to have nothing under a key, to have something else
// there, and to have no room, is that too.
func answered(err error) bool {
	return err == nil || errors.Is(err, redis.Nil) || redis.IsOOMError(err) || redis.HasErrorPrefix(err, "WRONGTYPE")
}

// tell logs when Redis is given up and when it is back. In between it is tried now and then, of which nobody needs
// to hear.
func (r *Redis) tell(_ string, from, to gobreaker.State) {
	switch {
	case from == gobreaker.StateClosed:
		why, _ := r.last.Load().(failure)
		r.config.Log.Warn("Redis does not answer; answers are computed without it until it does",
			"address", r.client.Options().Addr, "error", why.error)
	case to == gobreaker.StateClosed:
		r.config.Log.Info("Redis answers again", "address", r.client.Options().Addr)
	}
}

// Get returns the value that was put under a key, if Redis tells it in time.
func (r *Redis) Get(ctx context.Context, key string) ([]byte, bool) {
	within, cancel := context.WithTimeout(ctx, r.config.GetTimeout)
	defer cancel()
	stored, err := r.do(func() ([]byte, error) {
		stored, err := r.client.Get(within, r.config.Prefix+key).Bytes()
		if ctx.Err() != nil {
			err = context.Canceled // Redis had no chance to answer
		}
		return stored, err
	})
	if err == nil {
		if value, whole := opened(r.config.Prefix+key, stored); whole {
			r.hits.Add(1)
			return value, true
		}
	}
	r.misses.Add(1)
	return nil, false
}

// Put keeps a value, which nobody may change from now on, and does not wait until it is stored.
func (r *Redis) Put(ctx context.Context, key string, value []byte) {
	if len(value) > largestInRedis {
		return
	}
	select {
	case r.putting <- struct{}{}:
	default:
		r.passed.Add(1)
		return
	}
	r.running.Go(func() {
		defer func() { <-r.putting }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.config.PutTimeout)
		defer cancel()
		key := r.config.Prefix + key
		_, _ = r.do(func() ([]byte, error) {
			return nil, r.client.Set(ctx, key, sealed(key, value), r.config.Expiry).Err()
		})
	})
}

// do asks Redis, unless it has failed lately.
func (r *Redis) do(ask func() ([]byte, error)) ([]byte, error) {
	value, err := r.breaker.Execute(func() ([]byte, error) {
		value, err := ask()
		if !answered(err) && !errors.Is(err, context.Canceled) {
			r.last.Store(failure{err})
		}
		return value, err
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		r.passed.Add(1)
	}
	return value, err
}

// Check asks Redis whether it is there. When it is not, that is logged, and returned.
func (r *Redis) Check(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, r.config.PutTimeout)
	defer cancel()
	for range failures {
		_, err = r.do(func() ([]byte, error) { return nil, r.client.Ping(ctx).Err() })
		if err == nil || r.breaker.State() != gobreaker.StateClosed {
			return err
		}
	}
	return err
}

// Stats tells what the cache was asked.
func (r *Redis) Stats() Stats {
	return Stats{Hits: r.hits.Load(), Misses: r.misses.Load(), Passed: r.passed.Load()}
}

// Close ends what is on its way and the connections.
func (r *Redis) Close() error {
	r.running.Wait()
	return r.client.Close()
}
