package upkeep_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tasktide/internal/cache"
	"tasktide/internal/store/testdb"
	"tasktide/internal/timeline"
)

const (
	stormPrefix = "storm:"
	// stormRoom is how many bytes the Redis has, and stormFiller how many somebody else puts there at once.
	stormRoom, stormFiller = 32 << 20, 1 << 20
	// stormDelays is how often answers of a slow Redis are held up.
	stormDelays = 10
	// stormLately is how many questions are asked again and again.
	stormLately = 16
)

// stormCache is a Redis in which the readers of a storm keep answers while it is broken in one way after the
// other.
type stormCache struct {
	server *testdb.Redis
	proxy  *testdb.Proxy
	kept   *cache.Redis  // through the proxy
	past   *redis.Client // past both
	ways   []func(ctx context.Context) error
	broken atomic.Int64 // in how many ways it was, and was good for something again afterwards

	waiting  atomic.Int64 // readers, for the Redis to answer
	poisoned sync.Map     // what was put under keys instead of the answers
	spurned  atomic.Int64 // how often a reader came across that and did without

	mu     sync.Mutex
	lately []timeline.Request
}

func newStormCache(t *testing.T) *stormCache {
	t.Helper()
	c := &stormCache{server: testdb.StartRedis(t, "--maxmemory", fmt.Sprint(stormRoom), "--maxmemory-policy", "noeviction")}
	c.proxy = testdb.StartProxy(t, c.server.Address())
	options, err := redis.ParseURL(c.server.URL(c.server.Address()))
	if err != nil {
		t.Fatal(err)
	}
	c.past = redis.NewClient(options)
	t.Cleanup(func() { _ = c.past.Close() })
	c.kept, err = cache.NewRedis(cache.RedisConfig{
		URL: c.server.URL(c.proxy.Address()), Prefix: stormPrefix, Log: quiet,
		GetTimeout: 200 * time.Millisecond, Rest: 50 * time.Millisecond, // the machine is busy, and the storm soon over
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.kept.Close() })
	c.ways = []func(ctx context.Context) error{
		c.kill, c.fill, c.silence, c.slow, c.poison(garbage), c.empty, c.poison(another),
	}
	return c
}

// Get implements [timeline.Cache].
func (c *stormCache) Get(ctx context.Context, key string) ([]byte, bool) {
	poison, is := c.poisoned.Load(stormPrefix + key)
	c.waiting.Add(1)
	value, found := c.kept.Get(ctx, key)
	c.waiting.Add(-1)
	if is && !found && c.past.Get(ctx, stormPrefix+key).Val() == poison { // before and after
		c.spurned.Add(1)
	}
	return value, found
}

// Put implements [timeline.Cache].
func (c *stormCache) Put(ctx context.Context, key string, value []byte) { c.kept.Put(ctx, key, value) }

// questions returns what a reader asks out of one snapshot: what is new and what was asked lately, all of it twice,
// since little of what comes from one snapshot is the same in the next.
func (c *stormCache) questions(random *rand.Rand, request func() timeline.Request) (questions []timeline.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range 3 {
		if len(c.lately) > 0 && random.IntN(2) == 0 {
			questions = append(questions, c.lately[random.IntN(len(c.lately))])
			continue
		}
		asked := request()
		questions = append(questions, asked)
		c.lately = append(c.lately, asked)
		c.lately = c.lately[max(0, len(c.lately)-stormLately):]
	}
	return append(questions, questions...)
}

// answered asks a timeline for an answer that may be kept.
func answered(ctx context.Context, line *timeline.Timeline, request timeline.Request) (answer timeline.Answer, err error) {
	whole := timeline.Form{Name: "whole", Make: func(a timeline.Answer) ([]byte, error) { return json.Marshal(a) }}
	got, err := line.Shared(ctx, request, whole, nil)
	if err == nil {
		err = json.Unmarshal(got.Body, &answer)
	}
	return answer, err
}

// harm breaks the Redis in every way, until the storm is over. Each begins when answers have come out of it
// since the one before.
func (c *stormCache) harm(ctx context.Context) error {
	for {
		for _, way := range c.ways {
			if err := way(ctx); err != nil {
				return err
			}
			hits := c.kept.Stats().Hits
			if err := c.until(ctx, func() bool { return c.kept.Stats().Hits > hits }); err != nil {
				return err
			}
			c.broken.Add(1)
		}
	}
}

// until waits for a condition.
func (*stormCache) until(ctx context.Context, condition func() bool) error {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !condition() {
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// givenUp waits until the Redis was left alone because it did not answer.
func (c *stormCache) givenUp(ctx context.Context) error {
	passed := c.kept.Stats().Passed
	return c.until(ctx, func() bool { return c.kept.Stats().Passed > passed })
}

func (c *stormCache) kill(ctx context.Context) error {
	c.server.Kill()
	return errors.Join(c.givenUp(ctx), c.server.Restart())
}

// fill lets others take all the room, until answers were refused.
func (c *stormCache) fill(ctx context.Context) error {
	var fillers []string
	for full := false; !full; {
		fillers = append(fillers, fmt.Sprint("filler ", len(fillers)))
		err := c.past.Set(ctx, fillers[len(fillers)-1], bytes.Repeat([]byte("x"), stormFiller), 0).Err()
		if full = redis.IsOOMError(err); !full && err != nil {
			return err
		}
	}
	refused := c.refused(ctx)
	err := c.until(ctx, func() bool { return c.refused(ctx) != refused })
	return errors.Join(err, c.past.Del(context.WithoutCancel(ctx), fillers...).Err())
}

// refused returns how often the Redis had no room.
func (c *stormCache) refused(ctx context.Context) string {
	_, after, _ := strings.Cut(c.past.Info(ctx, "errorstats").Val(), "errorstat_OOM:")
	count, _, _ := strings.Cut(after, "\r\n")
	return count
}

func (c *stormCache) silence(ctx context.Context) error {
	c.proxy.Hold()
	defer c.proxy.Release()
	return c.givenUp(ctx)
}

// slow holds up readers for as long as three looks take, which they bear.
func (c *stormCache) slow(ctx context.Context) error {
	for range stormDelays {
		c.proxy.Hold()
		looks := 0
		err := c.until(ctx, func() bool {
			if c.waiting.Load() > 0 {
				looks++
			}
			return looks > 3
		})
		c.proxy.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// garbage and another are what takes the place of the value of a key.
func garbage(_ []any, i int) any      { return fmt.Sprint("\x00garbage\xff ", i) }
func another(values []any, i int) any { return values[(i+1)%len(values)] }

// poison changes all values, again and again, until a reader has come across one.
func (c *stormCache) poison(with func(values []any, i int) any) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		c.poisoned.Clear()
		spurned := c.spurned.Load()
		var failed error
		err := c.until(ctx, func() bool {
			keys, err := c.past.Keys(ctx, stormPrefix+"*").Result()
			if err != nil || len(keys) < 2 {
				failed = err
				return err != nil
			}
			values, err := c.past.MGet(ctx, keys...).Result()
			if err != nil {
				failed = err
				return true
			}
			var pairs []any
			for i, key := range keys {
				pairs = append(pairs, key, with(values, i))
			}
			failed = c.past.MSet(ctx, pairs...).Err()
			for i := range keys {
				c.poisoned.Store(keys[i], pairs[2*i+1])
			}
			return failed != nil || c.spurned.Load() > spurned
		})
		return errors.Join(err, failed)
	}
}

func (c *stormCache) empty(ctx context.Context) error { return c.past.FlushAll(ctx).Err() }
