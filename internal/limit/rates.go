package limit

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// burstSeconds is how many seconds' worth of requests a caller may make at once.
	burstSeconds = 10
	// maxCallers is how many callers are told apart within burstSeconds. Those who come when there are as many share
	// one allowance.
	maxCallers = 10_000
)

// Rates bounds how often each caller may ask. nil bounds nothing. It is safe for concurrent use.
type Rates struct {
	perSecond int
	rest      *rate.Limiter // of those who are too many to be told apart

	mu sync.Mutex // of what follows
	// Who has not asked for burstSeconds may make as many requests as one who never has, and is forgotten: now holds who
	// has asked since begun, before who has in the same time before.
	begun       time.Time
	now, before map[string]*rate.Limiter
}

// NewRates returns an allowance, for each caller, of so many requests a second on average, and ten times as many at
// once. nil for 0.
func NewRates(perSecond uint16) *Rates {
	if perSecond == 0 {
		return nil
	}
	r := &Rates{perSecond: int(perSecond), now: map[string]*rate.Limiter{}}
	r.rest = r.limiter()
	return r
}

// PerSecond returns how many requests a second a caller may make on average.
func (r *Rates) PerSecond() int { return r.perSecond }

func (r *Rates) limiter() *rate.Limiter {
	return rate.NewLimiter(rate.Limit(r.perSecond), burstSeconds*r.perSecond)
}

// Wait returns how long a caller has to wait before asking. 0 counts as having asked.
func (r *Rates) Wait(caller string) time.Duration {
	if r == nil {
		return 0
	}
	now := time.Now()
	asked := r.of(caller, now).ReserveN(now, 1)
	wait := asked.DelayFrom(now)
	if wait > 0 {
		asked.CancelAt(now)
	}
	return wait
}

func (r *Rates) of(caller string, now time.Time) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.begun) >= burstSeconds*time.Second {
		r.begun, r.before, r.now = now, r.now, map[string]*rate.Limiter{}
	}
	own := r.now[caller]
	if own != nil {
		return own
	}
	if own = r.before[caller]; own == nil {
		if len(r.now) >= maxCallers {
			return r.rest
		}
		own = r.limiter()
	}
	r.now[caller] = own
	return own
}
