// Package account is the AWS account and region that all simulated services live in: its number, its clock, its identifiers and how
// fast simulated time passes. It imports the standard library only. Its invariant: with the same sequence of calls the same
// identifiers come out, so that a failing test can be repeated.
package account

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Account is shared by the services. Like them it is not safe for use by several goroutines: the endpoint runs one call at a time.
type Account struct {
	// ID is the twelve digit account number.
	ID        string
	Region    string
	Partition string
	// Now is the clock.
	Now func() time.Time
	// Speed divides every simulated duration. It is positive.
	Speed  float64
	serial uint64
}

// Scale gives how long a duration of AWS takes here.
func (a *Account) Scale(d time.Duration) time.Duration {
	return time.Duration(float64(d) / a.Speed)
}

// ARN names a resource of a service in this region.
func (a *Account) ARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", a.Partition, service, a.Region, a.ID, resource)
}

// Hex gives a new identifier of up to 64 hexadecimal digits.
func (a *Account) Hex(digits int) string {
	a.serial++
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], a.serial)
	sum := sha256.Sum256(seed[:])
	return hex.EncodeToString(sum[:])[:digits]
}

// Serial is how many identifiers were given.
func (a *Account) Serial() uint64 { return a.serial }

// Resume lets identifiers go on after so many, as if they had been given.
func (a *Account) Resume(serial uint64) { a.serial = serial }

// Digits gives a new identifier of decimal digits that does not start with a zero.
func (a *Account) Digits(digits int) string {
	text := strings.Map(func(r rune) rune {
		if r >= 'a' {
			return '0' + (r-'a')%10
		}
		return r
	}, a.Hex(digits))
	if text[0] == '0' {
		return "1" + text[1:]
	}
	return text
}

// UUID gives a new identifier in the form of a version 4 UUID.
func (a *Account) UUID() string {
	h := a.Hex(32)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}
