//go:build unix

package process

import (
	"fmt"
	"syscall"
)

// signalGroup signals every process of the group that the child leads.
func signalGroup(pid int, sig syscall.Signal) error {
	if err := syscall.Kill(-pid, sig); err != nil {
		return fmt.Errorf("signalling process group %d: %w", pid, err)
	}
	return nil
}
