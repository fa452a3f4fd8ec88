package api

import "context"

type clusterRequest struct {
	Name string `path:"cluster_name"`
}

type clusterAnswer struct {
	Cluster [4]any `json:"cluster"` // id, name, type, connection parameters as JSON text or null
}

// cluster answers 404 for an unknown name, where JobMon answers null and its client then fails with
// an error that names nothing.
func (s *server) cluster(ctx context.Context, request clusterRequest) (clusterAnswer, error) {
	cluster, err := s.Catalog.Cluster(ctx, request.Name)
	return clusterAnswer{[4]any{cluster.ID, cluster.Name, cluster.Type, cluster.ConnectionParameters}}, err
}

type queueRequest struct {
	ClusterID int64  `path:"cluster_id"`
	Name      string `path:"queue_name"`
}

type queueAnswer struct {
	Queue [3]any `json:"queue"` // id, name, parameters as a Python literal
}

func (s *server) queue(ctx context.Context, request queueRequest) (queueAnswer, error) {
	queue, err := s.Catalog.Queue(ctx, request.ClusterID, request.Name)
	return queueAnswer{[3]any{queue.ID, queue.Name, queue.Parameters}}, err
}
