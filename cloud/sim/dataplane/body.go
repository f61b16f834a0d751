package dataplane

import "strings"

// body follows the body of a request to where it ends.
type body struct {
	// left is how many bytes are to come, or -1 as long as chunks do.
	left  int64
	chunk int64
	state chunkState
	// line is how much the present line has beside its end.
	line int
}

type chunkState int

const (
	chunkSize chunkState = iota
	chunkExtension
	chunkData
	chunkEnd
	chunkTrailer
)

// maxChunk keeps the size of a chunk from overflowing. The server behind refuses chunks far smaller.
const maxChunk = 1 << 50

// take gives how many of the bytes belong to the body. left is zero after the last one.
func (b *body) take(p []byte) int {
	if b.left >= 0 {
		n := min(int64(len(p)), b.left)
		b.left -= n
		return int(n)
	}
	for i := 0; i < len(p); {
		if b.state == chunkData {
			n := min(int64(len(p)-i), b.chunk)
			b.chunk -= n
			i += int(n)
			if b.chunk == 0 {
				b.state = chunkEnd
			}
			continue
		}
		b.step(p[i])
		i++
		if b.left == 0 {
			return i
		}
	}
	return len(p)
}

// step takes one byte beside the data. What is no chunk is left to the server behind, which ends the connection.
func (b *body) step(c byte) {
	switch {
	case b.state == chunkSize && c == '\n' || b.state == chunkExtension && c == '\n':
		b.state, b.line = chunkData, 0
		if b.chunk == 0 {
			b.state = chunkTrailer
		}
	case b.state == chunkSize:
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 {
			b.state = chunkExtension
			return
		}
		b.chunk = min(b.chunk, maxChunk)<<4 | int64(digit)
	case b.state == chunkEnd && c == '\n':
		b.state, b.chunk = chunkSize, 0
	case b.state == chunkTrailer && c == '\n':
		if b.line == 0 {
			b.left = 0
		}
		b.line = 0
	case b.state == chunkTrailer && c != '\r':
		b.line++
	}
}
