package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

const (
	// firstPool and lastPool are the second numbers of the blocks that may be a pool.
	firstPool = 77
	lastPool  = 126
	// claimPort is bound on the last address of a pool by the simulator that uses it.
	claimPort = 4564
)

var errNoPool = errors.New("all address pools are in use by other simulators")

// claimPool finds a block of loopback addresses that no other simulator on the machine uses, so that their listeners do not meet. A pool
// that the caller has chosen is taken as it is.
func (s *Simulator) claimPool(ctx context.Context, given netip.Prefix) error {
	if given.IsValid() {
		return nil
	}
	for block := byte(firstPool); block <= lastPool; block++ {
		lock := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, block, 255, 254}), claimPort)
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", lock.String())
		if err != nil {
			continue
		}
		s.claim = listener
		s.options.AddressPool = netip.PrefixFrom(netip.AddrFrom4([4]byte{127, block, 0, 0}), 16)
		return nil
	}
	return fmt.Errorf("claiming an address pool: %w", errNoPool)
}
