package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	// requestSpacing bounds the rate of a demo to 100 requests a second.
	requestSpacing = 10 * time.Millisecond
	// requestTimeout, requestTries and the pauses between tries follow JobMon's client, but are
	// shorter: nobody's work is lost when the demo gives up.
	requestTimeout = 20 * time.Second
	requestTries   = 10
	firstPause     = 250 * time.Millisecond
	longestPause   = 10 * time.Second

	maxAnswerBytes  = 16 << 20
	clientVersion   = "3.7.0"
	structlogHeader = "X-Server-Structlog-Context"
)

// object is a JSON object of a request.
type object map[string]any

// client calls a server's state routes, one request after another.
type client struct {
	baseURL string
	http    *http.Client
	rng     *rand.Rand
	spacing time.Duration // the least between the beginnings of two requests
	next    time.Time     // when the next request may be sent
}

// call sends one request and decodes its answer. What JobMon's client tries again (no answer, 423
// and 5xx), it tries again; anything else but success is an error at once.
func (c *client) call(ctx context.Context, method, path string, request object, answer any) error {
	var body []byte
	if request != nil {
		var err error
		if body, err = json.Marshal(request); err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	pause := firstPause
	for try := 1; ; try++ {
		again, err := c.try(ctx, method, path, body, answer)
		if err == nil {
			return nil
		}
		if !again || try == requestTries || ctx.Err() != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		jitter := time.Duration(c.rng.Int64N(int64(pause)))
		if err := wait(ctx, pause/2+jitter); err != nil {
			return err
		}
		pause = min(2*pause, longestPause)
	}
}

func (c *client) try(ctx context.Context, method, path string, body []byte, answer any) (again bool, err error) {
	if err := wait(ctx, time.Until(c.next)); err != nil {
		return false, err
	}
	c.next = time.Now().Add(c.spacing)

	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	url := c.baseURL + path + "?client_jobmon_version=" + clientVersion
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(structlogHeader, "{}")
	response, err := c.http.Do(request)
	if err != nil {
		return true, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return true, err
	}
	if code := response.StatusCode; code != http.StatusOK {
		again := code == http.StatusLocked || code >= http.StatusInternalServerError
		return again, fmt.Errorf("the server answered %d: %.200q", code, text)
	}
	if answer == nil {
		return false, nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return false, fmt.Errorf("the server's answer %.200q: %w", text, err)
	}
	return false, nil
}

// wait returns nil after d, and the context's error when it ends before.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// tuple is one of the lists with a fixed order in which JobMon sends its records.
type tuple []json.RawMessage

// scan decodes the members in order; a nil target skips one, and members past the last target are
// left alone.
func (t tuple) scan(targets ...any) error {
	if len(t) < len(targets) {
		return errors.New("the server's answer has a tuple that is too short")
	}
	for i, target := range targets {
		if target == nil {
			continue
		}
		if err := json.Unmarshal(t[i], target); err != nil {
			return fmt.Errorf("member %d of a tuple in the server's answer: %w", i, err)
		}
	}
	return nil
}
