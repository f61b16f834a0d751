//go:build unix && !linux

package process

import "syscall"

// attributes puts a child in a group of its own. Only Linux can tie its life to the parent's.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
