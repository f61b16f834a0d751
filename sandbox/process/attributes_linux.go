package process

import "syscall"

// attributes puts a child in a group of its own and lets the kernel end it when its parent is gone.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
