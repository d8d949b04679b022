package loopback

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// Input is what a readable resource consists of: Size bytes of ReaderAt,
// which must be safe for concurrent use and which must not outlive the server
// in a blocked read (give it a context of its own that ends).
type Input struct {
	ReaderAt io.ReaderAt
	Size     int64
}

// Handler takes one stream. Reading stops the client when the handler is
// slower than it; memory does not grow. A stream that the handler leaves
// unread when it returns nil is read to its end and thrown away. ctx ends
// when the run is over for a reason of its own; it does not end when the
// client, having sent everything, goes away.
type Handler func(ctx context.Context, body io.Reader) error

// Source writes one stream, as fast as the client takes it. ctx ends when the run
// is over for a reason of its own. A Source that returns nil has written all of
// it.
type Source func(ctx context.Context, w io.Writer) error

// resource is one registered URL: readable when handler is nil, and only once,
// from beginning to end, when it has a source.
type resource struct {
	token   string // 32 hexadecimal digits
	name    string
	input   Input
	source  Source
	handler Handler
	opened  chan struct{} // closed when a client opens the stream
	isOpen  bool          // guarded by Server.mu
}

// Serve registers a readable resource and returns its URL, which answers GET
// and HEAD with byte ranges. The name ends the URL and stands for it in error
// texts; what is no letter, digit, dot, hyphen or underscore becomes "_".
func (s *Server) Serve(name string, in Input) (url string) {
	return s.register(&resource{name: name, input: in})
}

// Stream registers a resource that can be read once, as it is written by source,
// and returns its URL. A second request for it is refused and fails the run, as
// does an error of the source.
func (s *Server) Stream(name string, source Source) (url string) {
	if source == nil {
		panic("loopback: Stream without a source")
	}
	return s.register(&resource{name: name, source: source, opened: make(chan struct{})})
}

// Accept registers a resource that can be written once, by PUT or POST, and
// returns its URL. A second request for it is refused and fails the run, as
// does an error of the handler.
func (s *Server) Accept(name string, handler Handler) (url string) {
	if handler == nil {
		panic("loopback: Accept without a handler")
	}
	return s.register(&resource{name: name, handler: handler, opened: make(chan struct{})})
}

func (s *Server) register(r *resource) string {
	var token [16]byte
	rand.Read(token[:])
	r.token = hex.EncodeToString(token[:])
	r.name = sanitise(r.name)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources = append(s.resources, r)
	return fmt.Sprintf("http://%s/%s/%s", s.listener.Addr(), r.token, r.name)
}

// find returns the resource of a URL path. The time it takes says nothing
// about how much of a token was right.
func (s *Server) find(path string) *resource {
	token, name, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	var found *resource
	for _, r := range s.resources {
		if subtle.ConstantTimeCompare([]byte(token), []byte(r.token)) == 1 {
			found = r
		}
	}
	if found == nil || found.name != name {
		return nil
	}
	return found
}

func sanitise(name string) string {
	name = strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_':
			return c
		}
		return '_'
	}, name)
	if strings.Trim(name, ".") == "" {
		return "_"
	}
	return name[:min(len(name), 100)]
}
