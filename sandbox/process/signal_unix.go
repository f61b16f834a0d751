//go:build unix

package process

import "syscall"

// signalGroup signals every process of the group that the child leads.
func signalGroup(pid int, sig syscall.Signal) error {
	return syscall.Kill(-pid, sig)
}
