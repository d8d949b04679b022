package aesstream

import (
	"fmt"
	"io"
)

// chunks cuts ciphertext into chunks of size bytes and a rest, which has at least
// held bytes if the file does: what is known to be the end only when nothing
// follows it, such as a tag.
type chunks struct {
	r    io.Reader
	size int
	buf  []byte // size+held bytes
	n    int    // bytes of buf that are filled
}

func newChunks(r io.Reader, size, held int) *chunks {
	return &chunks{r: r, size: size, buf: make([]byte, size+held)}
}

// next returns the next chunk, or the rest and true. It is valid, and may be
// overwritten, until the next call. An end of the file is io.EOF and nothing
// else: an io.ErrUnexpectedEOF of the source is a failed transfer.
func (c *chunks) next() (b []byte, last bool, err error) {
	if c.n == len(c.buf) {
		c.n = copy(c.buf, c.buf[c.size:])
	}
	for idle := 0; c.n < len(c.buf); {
		n, err := c.r.Read(c.buf[c.n:])
		c.n += n
		switch {
		case err == io.EOF && c.n < len(c.buf):
			return c.buf[:c.n], true, nil
		case err != nil && err != io.EOF:
			return nil, false, fmt.Errorf("reading an encrypted file: %w", err)
		case n > 0:
			idle = 0
		default:
			if idle++; idle == 100 {
				return nil, false, fmt.Errorf("reading an encrypted file: %w", io.ErrNoProgress)
			}
		}
	}
	return c.buf[:c.size], false, nil
}

// wipe forgets what was decrypted in place.
func (c *chunks) wipe() {
	clear(c.buf)
	*c = chunks{}
}
