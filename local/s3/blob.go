package s3

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// bufferSize is how much of a body is in memory at a time, in each direction.
const bufferSize = 256 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// blob is one file of ciphertext: the content of an object, or of one part of it.
type blob struct {
	ID   string
	Salt []byte
	Size int64 // bytes, the same encrypted or not
}

// blobs keeps files of ciphertext in a directory. A file gets its name before its content; until a record refers to it
// nobody can see it, and sweep removes what a crash left behind.
type blobs struct {
	dir string

	mu     sync.Mutex
	pins   map[string]int  // readers of each blob
	doomed map[string]bool // blobs to be removed when their last reader is gone
}

func openBlobs(dir string) (*blobs, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &blobs{dir: dir, pins: map[string]int{}, doomed: map[string]bool{}}, nil
}

func (b *blobs) path(id string) string { return filepath.Join(b.dir, id[:2], id) }

// write encrypts r to a new blob. It reads r to its end; an error leaves nothing behind.
func (b *blobs) write(r io.Reader, key secret) (_ blob, err error) {
	var name [16]byte
	rand.Read(name[:])
	out := blob{ID: hex.EncodeToString(name[:]), Salt: newSalt()}
	path := b.path(out.ID)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return blob{}, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return blob{}, err
	}
	defer func() {
		err = errors.Join(err, file.Close())
		if err != nil {
			os.Remove(path)
		}
	}()
	out.Size, err = encrypt(file, r, key.stream(out.Salt, 0))
	return out, err
}

// encrypt copies r to w through the key stream. The plaintext lives in one buffer, which is overwritten in place.
func encrypt(w io.Writer, r io.Reader, stream cipher.Stream) (int64, error) {
	buffer := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buffer)
	var total int64
	for {
		n, err := r.Read(buffer[:])
		if n > 0 {
			stream.XORKeyStream(buffer[:n], buffer[:n])
			if _, err := w.Write(buffer[:n]); err != nil {
				return total, err
			}
			total += int64(n)
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// pin keeps the blobs that find returns from being removed until release is called. find runs in such a way that no
// removal comes between its look at the records and the pinning.
func (b *blobs) pin(find func() ([]blob, error)) (release func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	pinned, err := find()
	if err != nil {
		return nil, err
	}
	for _, p := range pinned {
		b.pins[p.ID]++
	}
	return sync.OnceFunc(func() { b.unpin(pinned) }), nil
}

func (b *blobs) unpin(pinned []blob) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range pinned {
		if b.pins[p.ID]--; b.pins[p.ID] > 0 {
			continue
		}
		delete(b.pins, p.ID)
		if b.doomed[p.ID] {
			delete(b.doomed, p.ID)
			os.Remove(b.path(p.ID))
		}
	}
}

// remove deletes blobs that no record refers to any more, those being read as soon as they are not. A file that cannot
// be removed is left to the next sweep.
func (b *blobs) remove(gone ...blob) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, g := range gone {
		if b.pins[g.ID] > 0 {
			b.doomed[g.ID] = true
			continue
		}
		os.Remove(b.path(g.ID))
	}
}

// sweep removes every blob that is not in use, as after a crash in the middle of an upload.
func (b *blobs) sweep(inUse map[string]bool) error {
	return filepath.WalkDir(b.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || inUse[entry.Name()] {
			return err
		}
		return os.Remove(path)
	})
}

// blobReader reads a range of the concatenation of blobs, decrypted. It opens one file at a time.
type blobReader struct {
	blobs   *blobs
	key     secret
	rest    []blob // rest[0] is being read, or is next
	offset  int64  // in rest[0]
	left    int64  // bytes still to be read
	file    *os.File
	stream  cipher.Stream
	release func()
}

// read returns a reader of length bytes from offset on. Closing it calls release.
func (b *blobs) read(of []blob, key secret, offset, length int64, release func()) *blobReader {
	for len(of) > 0 && offset >= of[0].Size {
		offset -= of[0].Size
		of = of[1:]
	}
	return &blobReader{blobs: b, key: key, rest: of, offset: offset, left: length, release: release}
}

// Read implements io.Reader.
func (r *blobReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.left > 0 && len(r.rest) > 0 {
		if r.offset == r.rest[0].Size {
			r.next()
			continue
		}
		if err := r.open(); err != nil {
			return 0, err
		}
		want := min(int64(len(p)), r.left, r.rest[0].Size-r.offset)
		n, err := r.file.Read(p[:want])
		r.stream.XORKeyStream(p[:n], p[:n])
		r.offset += int64(n)
		r.left -= int64(n)
		if n > 0 {
			return n, nil
		}
		if err == io.EOF {
			err = fmt.Errorf("blob %s: %w", r.rest[0].ID, io.ErrUnexpectedEOF)
		}
		return 0, err
	}
	if r.left > 0 {
		return 0, io.ErrUnexpectedEOF
	}
	return 0, io.EOF
}

// WriteTo implements io.WriterTo, so that a response is written in large pieces.
func (r *blobReader) WriteTo(w io.Writer) (int64, error) {
	buffer := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buffer)
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, buffer[:])
}

func (r *blobReader) open() error {
	if r.file != nil {
		return nil
	}
	file, err := os.Open(r.blobs.path(r.rest[0].ID))
	if err != nil {
		return err
	}
	if _, err := file.Seek(r.offset, io.SeekStart); err != nil {
		return errors.Join(err, file.Close())
	}
	r.file, r.stream = file, r.key.stream(r.rest[0].Salt, r.offset)
	return nil
}

func (r *blobReader) next() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
	r.rest, r.offset = r.rest[1:], 0
}

// Close implements io.Closer.
func (r *blobReader) Close() error {
	var err error
	if r.file != nil {
		err = r.file.Close()
		r.file = nil
	}
	r.rest, r.left = nil, 0
	if r.release != nil {
		r.release()
	}
	return err
}
