//go:build never

// Package pins names what ./build compiles, so that `go mod tidy` keeps go.mod and go.sum complete.
package pins

import (
	_ "go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/kubernetes/cmd/kube-apiserver/app"
)
