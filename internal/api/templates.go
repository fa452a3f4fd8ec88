package api

import (
	"context"
	"strings"

	"tasktide/internal/store"
)

type taskTemplatesRequest struct {
	ToolVersionID int64 `path:"tool_version_id"`
}

type taskTemplatesAnswer struct {
	TaskTemplates [][3]any `json:"task_templates"` // id, tool version id, name
}

func (s *server) taskTemplates(ctx context.Context, request taskTemplatesRequest) (taskTemplatesAnswer, error) {
	templates, err := s.Catalog.TaskTemplates(ctx, request.ToolVersionID)
	answer := taskTemplatesAnswer{make([][3]any, len(templates))}
	for i, template := range templates {
		answer.TaskTemplates[i] = [3]any{template.ID, template.ToolVersionID, template.Name}
	}
	return answer, err
}

type registerTaskTemplateRequest struct {
	ToolVersionID int64 `body:"tool_version_id"`
	Name          label `body:"task_template_name"`
}

type taskTemplateAnswer struct {
	TaskTemplateID int64 `json:"task_template_id"`
}

func (s *server) registerTaskTemplate(ctx context.Context, request registerTaskTemplateRequest) (taskTemplateAnswer, error) {
	id, err := s.Catalog.RegisterTaskTemplate(ctx, request.ToolVersionID, string(request.Name))
	return taskTemplateAnswer{id}, err
}

type taskTemplateVersionsRequest struct {
	TaskTemplateID int64 `path:"task_template_id"`
}

type taskTemplateVersionsAnswer struct {
	TaskTemplateVersions []taskTemplateVersion `json:"task_template_versions"`
}

// taskTemplateVersion is id, command template, node, task and op arguments, ids of the arguments,
// task template id.
type taskTemplateVersion [7]any

func (s *server) taskTemplateVersions(
	ctx context.Context, request taskTemplateVersionsRequest,
) (taskTemplateVersionsAnswer, error) {
	versions, err := s.Catalog.TaskTemplateVersions(ctx, request.TaskTemplateID)
	answer := taskTemplateVersionsAnswer{make([]taskTemplateVersion, len(versions))}
	for i, version := range versions {
		answer.TaskTemplateVersions[i] = taskTemplateVersionOf(version)
	}
	return answer, err
}

func taskTemplateVersionOf(v store.TaskTemplateVersion) taskTemplateVersion {
	ids := v.ArgIDs
	if ids == nil {
		ids = map[string]int64{}
	}
	return taskTemplateVersion{
		v.ID, v.CommandTemplate, orEmpty(v.NodeArgs), orEmpty(v.TaskArgs), orEmpty(v.OpArgs), ids, v.TaskTemplateID,
	}
}

// orEmpty makes JSON write an empty list where there is none, as JobMon's client expects.
func orEmpty[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

type registerTaskTemplateVersionRequest struct {
	TaskTemplateID  int64       `path:"task_template_id"`
	CommandTemplate string      `body:"command_template"`
	ArgMappingHash  hash        `body:"arg_mapping_hash"`
	NodeArgs        list[label] `body:"node_args"`
	TaskArgs        list[label] `body:"task_args"`
	OpArgs          list[label] `body:"op_args"`
}

type taskTemplateVersionAnswer struct {
	TaskTemplateVersion taskTemplateVersion `json:"task_template_version"`
}

func (s *server) registerTaskTemplateVersion(
	ctx context.Context, request registerTaskTemplateVersionRequest,
) (taskTemplateVersionAnswer, error) {
	version, err := s.Catalog.RegisterTaskTemplateVersion(ctx, store.TaskTemplateVersion{
		TaskTemplateID:  request.TaskTemplateID,
		CommandTemplate: strings.TrimSpace(request.CommandTemplate),
		ArgMappingHash:  string(request.ArgMappingHash),
		NodeArgs:        texts(request.NodeArgs),
		TaskArgs:        texts(request.TaskArgs),
		OpArgs:          texts(request.OpArgs),
	})
	return taskTemplateVersionAnswer{taskTemplateVersionOf(version)}, err
}

func texts(labels []label) []string {
	names := make([]string, len(labels))
	for i, l := range labels {
		names[i] = string(l)
	}
	return names
}
