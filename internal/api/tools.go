package api

import (
	"context"

	"tasktide/internal/store"
)

type registerToolRequest struct {
	Name label `body:"name"`
}

type toolAnswer struct {
	Tool [2]any `json:"tool"` // id, name
}

func (s *server) registerTool(ctx context.Context, request registerToolRequest) (toolAnswer, error) {
	tool, err := s.Catalog.RegisterTool(ctx, string(request.Name))
	return toolAnswer{[2]any{tool.ID, tool.Name}}, err
}

type toolVersionsRequest struct {
	ToolID int64 `path:"tool_id"`
}

type toolVersionsAnswer struct {
	ToolVersions []toolVersion `json:"tool_versions"`
}

// toolVersion is id, tool id.
type toolVersion [2]int64

func (s *server) toolVersions(ctx context.Context, request toolVersionsRequest) (toolVersionsAnswer, error) {
	versions, err := s.Catalog.ToolVersions(ctx, request.ToolID)
	answer := toolVersionsAnswer{make([]toolVersion, len(versions))}
	for i, version := range versions {
		answer.ToolVersions[i] = toolVersionOf(version)
	}
	return answer, err
}

func toolVersionOf(version store.ToolVersion) toolVersion {
	return toolVersion{version.ID, version.ToolID}
}

type addToolVersionRequest struct {
	ToolID int64 `body:"tool_id"`
}

type toolVersionAnswer struct {
	ToolVersion toolVersion `json:"tool_version"`
}

func (s *server) addToolVersion(ctx context.Context, request addToolVersionRequest) (toolVersionAnswer, error) {
	version, err := s.Catalog.AddToolVersion(ctx, request.ToolID)
	return toolVersionAnswer{toolVersionOf(version)}, err
}
