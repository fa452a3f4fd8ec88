package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"tasktide/internal/timeline"
)

// shared is an answer that is made once for all who ask for it at the same time or soon after, and not at all for
// one who has it already.
type shared struct {
	line    *timeline.Timeline
	request timeline.Request
	// kind tells the answers apart that are made of one request.
	kind  string
	value func(timeline.Answer) any // encoded as JSON
}

// share writes an answer, or tells that it is the one that the client has. Its tag is a weak one: it stands for
// the numbers, however they are compressed, and whenever within the last bucket they were worked out.
func (s *server) share(w http.ResponseWriter, r *http.Request, answer shared) {
	coding := codingFor(r)
	form := timeline.Form{
		Name: answer.kind + " " + coding,
		Make: func(a timeline.Answer) ([]byte, error) {
			body, err := encode(answer.value(a))
			if err != nil {
				return nil, err
			}
			return compressed(body, coding)
		},
	}
	got, err := inTurn(r.Context(), func(ctx context.Context) (timeline.Shared, error) {
		return answer.line.Shared(ctx, answer.request, form, alreadyHas(r.Header.Values("If-None-Match")))
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	header := w.Header()
	header.Set("ETag", `W/"`+got.Tag+`"`)
	// Anybody may keep it, but has to ask whether it still holds; what not all may see, only who asked may keep.
	header.Set("Cache-Control", "no-cache")
	if s.Guard != nil {
		header.Set("Cache-Control", "private, no-cache")
	}
	if got.Body == nil {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if coding != "" {
		header.Set("Content-Encoding", coding)
	}
	header.Set("Content-Length", strconv.Itoa(len(got.Body)))
	send(w, http.StatusOK, got.Body)
}

// alreadyHas returns whether a tag is among those of If-None-Match, compared weakly, or nil when there are none.
func alreadyHas(lists []string) func(tag string) bool {
	if len(lists) == 0 {
		return nil
	}
	return func(tag string) bool {
		for _, list := range lists {
			// Ours hold neither commas nor quotes, so that nothing but one of ours is taken for it.
			for one := range strings.SplitSeq(list, ",") {
				if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == `"`+tag+`"` {
					return true
				}
			}
		}
		return false
	}
}
