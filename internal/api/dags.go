package api

import (
	"context"
	"fmt"
	"time"

	"tasktide/internal/store"
)

type registerNodesRequest struct {
	Nodes list[node] `body:"nodes"`
}

type node struct {
	TaskTemplateVersionID int64            `body:"task_template_version_id"`
	ArgsHash              label            `body:"node_args_hash"`
	Args                  map[int64]string `body:"node_args"` // by argument id
}

func (n *node) UnmarshalJSON(data []byte) error { return decodeObject(data, n) }

type nodesAnswer struct {
	Nodes map[string]int64 `json:"nodes"` // by task template version id and hash
}

func (s *server) registerNodes(ctx context.Context, request registerNodesRequest) (nodesAnswer, error) {
	nodes := make([]store.Node, len(request.Nodes))
	for i, n := range request.Nodes {
		nodes[i] = store.Node{TaskTemplateVersionID: n.TaskTemplateVersionID, ArgsHash: string(n.ArgsHash), Args: n.Args}
	}
	answer := nodesAnswer{make(map[string]int64, len(nodes))}
	ids, err := s.Catalog.RegisterNodes(ctx, nodes)
	for i, id := range ids {
		answer.Nodes[fmt.Sprintf("%d:%s", nodes[i].TaskTemplateVersionID, nodes[i].ArgsHash)] = id
	}
	return answer, err
}

type registerDAGRequest struct {
	Hash hash `body:"dag_hash"`
}

type dagAnswer struct {
	ID      int64         `json:"dag_id"`
	Created *databaseText `json:"created_date"` // null asks the client for the edges
}

func (s *server) registerDAG(ctx context.Context, request registerDAGRequest) (dagAnswer, error) {
	dag, err := s.Catalog.RegisterDAG(ctx, string(request.Hash))
	answer := dagAnswer{ID: dag.ID}
	if dag.CreatedAt != 0 {
		created := databaseTextOf(dag.CreatedAt)
		answer.Created = &created
	}
	return answer, err
}

// databaseText is an instant as JobMon writes it: UTC, cut to seconds, without a zone.
type databaseText string

func databaseTextOf(micros int64) databaseText {
	return databaseText(time.UnixMicro(micros).UTC().Format(time.DateTime))
}

type addEdgesRequest struct {
	DAGID       int64      `path:"dag_id"`
	Edges       list[edge] `body:"edges_to_add"`
	MarkCreated bool       `body:"mark_created"`
}

// edge may list more neighbours than a request may name things to change: a task may wait for all
// the others.
type edge struct {
	NodeID     int64    `body:"node_id"`
	Upstream   *[]int64 `body:"upstream_node_ids"`
	Downstream *[]int64 `body:"downstream_node_ids"`
}

func (e *edge) UnmarshalJSON(data []byte) error { return decodeObject(data, e) }

func (s *server) addEdges(ctx context.Context, request addEdgesRequest) (none, error) {
	edges := make([]store.Edge, len(request.Edges))
	for i, e := range request.Edges {
		edges[i].NodeID = e.NodeID
		if e.Upstream != nil {
			edges[i].Upstream = *e.Upstream
		}
		if e.Downstream != nil {
			edges[i].Downstream = *e.Downstream
		}
	}
	return none{}, s.Catalog.AddEdges(ctx, request.DAGID, edges, request.MarkCreated)
}
