package api

import (
	"context"
	_ "embed"
	"encoding/json"
	"maps"
	"strings"
	"time"
)

type aboutAnswer struct {
	Version   string      `json:"version"`
	Demo      bool        `json:"demo"`
	Telemetry bool        `json:"telemetry"`
	Database  *string     `json:"database_url"`
	Login     string      `json:"login"`
	User      *userAnswer `json:"user"`
}

func (s *server) about(ctx context.Context, _ none) (aboutAnswer, error) {
	where, who := s.login(ctx)
	return aboutAnswer{s.Version, s.Demo, s.Telemetry, s.DatabaseURL, where, who}, nil
}

type statusAnswer struct {
	Status string `json:"status"`
}

// alive asks nobody: a server whose database is gone is not helped by being started again.
func (s *server) alive(context.Context, none) (statusAnswer, error) {
	return statusAnswer{"ok"}, nil
}

// readyWithin is how long a database may take before it counts as gone.
const readyWithin = 3 * time.Second

func (s *server) ready(ctx context.Context, _ none) (statusAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	return statusAnswer{"ready"}, s.Ready(ctx)
}

//go:embed openapi.json
var document []byte

// servedDocument is the OpenAPI document with the routes under /api/v3 described under every prefix
// that they have. In the file they stand once.
func servedDocument() []byte {
	var whole map[string]any
	if err := json.Unmarshal(document, &whole); err != nil {
		panic("openapi.json: " + err.Error())
	}
	paths := whole["paths"].(map[string]any) //nolint:forcetypeassert // a document without paths is damaged
	written := statePrefixes[0]
	for path, item := range paths {
		rest, isState := strings.CutPrefix(path, written)
		if !isState {
			continue
		}
		for _, prefix := range statePrefixes[1:] {
			paths[prefix+rest] = renamed(item.(map[string]any), prefix) //nolint:forcetypeassert // as above
		}
	}
	served, err := encode(whole)
	if err != nil {
		panic("openapi.json: " + err.Error())
	}
	return served
}

// renamed copies the operations of a path, with ids of their own.
func renamed(item map[string]any, prefix string) map[string]any {
	operations := make(map[string]any, len(item))
	for method, operation := range item {
		copied := maps.Clone(operation.(map[string]any)) //nolint:forcetypeassert // as above
		version := prefix[strings.LastIndex(prefix, "/v")+1:]
		copied["operationId"] = copied["operationId"].(string) + strings.ToUpper(version) //nolint:forcetypeassert // as above
		operations[method] = copied
	}
	return operations
}

func (s *server) openAPI(context.Context, none) (json.RawMessage, error) {
	return s.document, nil
}
