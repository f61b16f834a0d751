// Command etcd is the etcd server. Its own module cannot be installed by version because of its
// replace directives, so this main package calls the same entry point.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
