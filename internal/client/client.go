// Package client requests Tasktide's read routes, from a server elsewhere or from a handler in this process.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"tasktide/internal/jobmon"
)

// maxAnswer bounds what is held of an answer, in bytes. The largest answer has 2,550,000 numbers. Tables are not held.
const maxAnswer = 256 << 20

// Client requests from one server.
type Client struct {
	http  *http.Client
	base  *url.URL // its path ends without a slash
	token Token
	local bool
}

// Token authenticates a client; the zero value does not.
type Token struct {
	Value string
	// From is where it is from, such as TASKTIDE_TOKEN, for messages. The value is in none.
	From string
}

// Remote returns a client of the server at a URL, such as https://example.org/tasktide. CodeInvalid for anything else.
func Remote(server string, token Token) (*Client, error) {
	base, err := url.Parse(server)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.RawQuery != "" || base.Fragment != "" {
		return nil, jobmon.FieldErrorf("server", "--server must be a URL such as http://127.0.0.1:8070 or https://example.org/tasktide")
	}
	if base.User != nil {
		return nil, jobmon.FieldErrorf("server",
			"--server must hold no user or password; send a token with TASKTIDE_TOKEN or TASKTIDE_TOKEN_FILE")
	}
	base.Path = strings.TrimRight(base.Path, "/")
	return &Client{http: &http.Client{}, base: base, token: token}, nil
}

// Get requests a path with a query and returns the JSON document that is answered. An error is a [jobmon.Error] with
// the server's message, or one that says what to do; when ctx is over, ctx's cause.
func (c *Client) Get(ctx context.Context, path string, query url.Values) (json.RawMessage, error) {
	body, err := c.open(ctx, path, query, "application/json")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	document, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, c.explain(ctx, err)
	case len(document) > maxAnswer:
		return nil, jobmon.Errorf(jobmon.CodeTooLarge, "the server's answer is larger than %d bytes; request less", maxAnswer)
	case !json.Valid(document):
		return nil, c.notTasktide("its answer is not JSON")
	}
	return document, nil
}

// Copy requests a path with a query and writes the table that is answered to out, as it comes. Errors are those of Get, and
// those of out; when a table is cut off, that is an error too.
func (c *Client) Copy(ctx context.Context, path string, query url.Values, out io.Writer) error {
	body, err := c.open(ctx, path, query, "text/csv")
	if err != nil {
		return err
	}
	defer body.Close()
	read := &readErrors{Reader: body}
	if _, err = io.Copy(out, read); read.err != nil {
		return c.explain(ctx, read.err)
	}
	return err
}

// readErrors remembers an error of reading, which [io.Copy] does not tell from one of writing.
type readErrors struct {
	io.Reader
	err error
}

func (r *readErrors) Read(data []byte) (int, error) {
	n, err := r.Reader.Read(data)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// open sends a request and returns the body of a good answer of the given type.
func (c *Client) open(ctx context.Context, path string, query url.Values, contentType string) (io.ReadCloser, error) {
	target := *c.base
	target.Path += path
	target.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, err
	}
	if c.token.Value != "" {
		request.Header.Set("Authorization", "Bearer "+c.token.Value)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	answered, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if response.StatusCode == http.StatusOK && answered == contentType {
		return response.Body, nil
	}
	defer response.Body.Close()
	return nil, c.refused(response)
}

// refused makes an error of an answer that is not the one that was requested.
func (c *Client) refused(response *http.Response) error {
	var answer struct {
		Error struct {
			Code    jobmon.Code `json:"code"`
			Message string      `json:"message"`
			Field   string      `json:"field"`
		} `json:"error"`
	}
	err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&answer)
	told := &jobmon.Error{Code: answer.Error.Code, Field: answer.Error.Field, Message: answer.Error.Message}
	switch {
	case response.StatusCode == http.StatusUnauthorized && c.token.Value != "":
		return jobmon.Errorf(jobmon.CodeAnonymous,
			"%s does not accept the token of %s: it is unknown, expired or revoked; create another with tasktide token create",
			c.name(), c.token.From)
	case response.StatusCode == http.StatusUnauthorized:
		return jobmon.Errorf(jobmon.CodeAnonymous,
			"%s requires authentication; set TASKTIDE_TOKEN or TASKTIDE_TOKEN_FILE to a token that tasktide token create printed", c.name())
	case err != nil || told.Code == "" || told.Message == "":
		return c.notTasktide("it answers with " + response.Status)
	case response.StatusCode == http.StatusForbidden && c.token.Value != "":
		told.Message += " (with the token of " + c.token.From + ")"
	}
	return told
}

func (c *Client) notTasktide(why string) error {
	return jobmon.Errorf(jobmon.CodeUnavailable, "%s does not answer as a Tasktide server does: %s; check the URL and its path",
		c.name(), why)
}

// explain makes a sentence of what went wrong on the way.
func (c *Client) explain(ctx context.Context, err error) error {
	if ended := context.Cause(ctx); ended != nil {
		return ended
	}
	failed, isURL := errors.AsType[*url.Error](err)
	if isURL {
		err = failed.Err // without the URL
	}
	switch {
	case c.local:
		return fmt.Errorf("the database was not read to its end: %w", err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return jobmon.Errorf(jobmon.CodeUnavailable,
			"no server listens at %s (connection refused); start one with tasktide serve, or correct --server", c.name())
	case !isURL:
		return jobmon.Errorf(jobmon.CodeUnavailable, "the answer of %s was cut off (%w); try again", c.name(), err)
	default:
		return jobmon.Errorf(jobmon.CodeUnavailable, "%s cannot be reached (%w); check --server", c.name(), err)
	}
}

func (c *Client) name() string {
	if c.local {
		return "the database"
	}
	return c.base.String()
}

// workflowPath is the path of a route about one workflow.
func workflowPath(id int64, route string) string {
	return "/api/v2/workflow/" + strconv.FormatInt(id, 10) + "/" + route
}
