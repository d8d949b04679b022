package loopback

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func start(t *testing.T) *Server {
	t.Helper()
	s, err := New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func request(t *testing.T, method, url, byteRange string, body io.Reader) (*http.Response, []byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if byteRange != "" {
		req.Header.Set("Range", byteRange)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, b, err
}

func TestServeAnswersRanges(t *testing.T) {
	data := noise(1 << 20)
	size := len(data)
	s := start(t)
	u := s.Serve("input", Input{bytes.NewReader(data), int64(size)})
	for _, c := range []struct {
		byteRange  string
		status     int
		start, end int // half open
	}{
		{"", 200, 0, size},
		{"bytes=0-", 206, 0, size},
		{"bytes=0-0", 206, 0, 1},
		{"bytes=17-65552", 206, 17, 65553},
		{fmt.Sprintf("bytes=%d-", size-1), 206, size - 1, size},
		{"bytes=-5", 206, size - 5, size},
		{fmt.Sprintf("bytes=5-%d", 10*size), 206, 5, size},
		{fmt.Sprintf("bytes=%d-", size), 416, 0, 0},
		{"bytes=9-3", 416, 0, 0},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			resp, body, err := request(t, method, u, c.byteRange, nil)
			if err != nil || resp.StatusCode != c.status {
				t.Fatalf("%s %q: %v, %v; want status %d", method, c.byteRange, resp, err, c.status)
			}
			if c.status == 416 {
				continue
			}
			if resp.Header.Get("Accept-Ranges") != "bytes" || resp.ContentLength != int64(c.end-c.start) {
				t.Errorf("%s %q: headers %v", method, c.byteRange, resp.Header)
			}
			want := data[c.start:c.end]
			if method == "HEAD" {
				want = nil
			}
			if !bytes.Equal(body, want) {
				t.Errorf("%s %q: wrong body of %d bytes", method, c.byteRange, len(body))
			}
		}
	}
	if err := s.Finish(nil); err != nil {
		t.Errorf("Finish: %v", err)
	}
}

func TestServeEmptyInput(t *testing.T) {
	s := start(t)
	u := s.Serve("input", Input{bytes.NewReader(nil), 0})
	resp, body, err := request(t, "GET", u, "", nil)
	if err != nil || resp.StatusCode != 200 || len(body) != 0 {
		t.Errorf("got %v, %d bytes, %v", resp, len(body), err)
	}
	if err := s.Finish(nil); err != nil {
		t.Errorf("Finish: %v", err)
	}
}

func TestURLs(t *testing.T) {
	s := start(t)
	form := regexp.MustCompile(`^http://127\.0\.0\.1:\d+/[0-9a-f]{32}/[A-Za-z0-9._-]+$`)
	seen := map[string]bool{}
	for _, name := range []string{"in", "in", "../../etc/passwd", "a b?c#d%2f\n", "", "..", strings.Repeat("é", 300)} {
		u := s.Serve(name, Input{strings.NewReader("x"), 1})
		if !form.MatchString(u) || seen[u] {
			t.Errorf("Serve(%q) = %q", name, u)
		}
		seen[u] = true
		if resp, body, err := request(t, "GET", u, "", nil); err != nil || resp.StatusCode != 200 || string(body) != "x" {
			t.Errorf("GET %q: %v, %q, %v", u, resp, body, err)
		}
	}
}

func TestOnlyTheExactURLIsServed(t *testing.T) {
	s := start(t)
	one := s.Serve("one", Input{strings.NewReader("1"), 1})
	two := s.Serve("two", Input{strings.NewReader("2"), 1})
	out := s.Accept("out", func(context.Context, io.Reader) error {
		t.Error("the handler ran")
		return nil
	})
	p, _ := url.Parse(one)
	base, token := "http://"+p.Host, strings.Split(p.Path, "/")[1]
	flipped := "0" + token[1:]
	if token[0] == '0' {
		flipped = "1" + token[1:]
	}
	for _, c := range []struct {
		method, url string
		status      int
	}{
		{"GET", base + "/", 404},
		{"GET", base + "/one", 404},
		{"GET", base + "/" + token, 404},
		{"GET", base + "/" + token + "/", 404},
		{"GET", base + "/" + token + "/two", 404},
		{"GET", base + "/" + token + "/one/", 404},
		{"GET", base + "/" + strings.ToUpper(token) + "x/one", 404},
		{"GET", base + "/" + flipped + "/one", 404},
		{"GET", base + "/" + token[:31] + "/one", 404},
		{"PUT", one, 405},
		{"DELETE", one, 405},
		{"GET", out, 405},
		{"HEAD", out, 405},
		{"GET", two, 200},
	} {
		resp, _, err := request(t, c.method, c.url, "", nil)
		if err != nil || resp.StatusCode != c.status {
			t.Errorf("%s %s: %v, %v; want %d", c.method, c.url, resp, err, c.status)
		}
	}
}

func TestListensOnLoopbackOnly(t *testing.T) {
	s := start(t)
	if addr := s.listener.Addr().(*net.TCPAddr); !addr.IP.Equal(net.IPv4(127, 0, 0, 1)) {
		t.Errorf("listens on %v", addr)
	}
}

// readerAt fails from an offset on, or panics there.
type readerAt struct {
	data  []byte
	from  int64
	err   error
	panic bool
}

func (r readerAt) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > r.from {
		if r.panic {
			panic("boom")
		}
		return copy(p, r.data[min(off, r.from):r.from]), r.err
	}
	return copy(p, r.data[off:]), nil
}

func TestFailedReadIsNoShortFile(t *testing.T) {
	data := noise(300_000)
	network := errors.New("network down")
	for name, c := range map[string]struct {
		in   readerAt
		want error
	}{
		"at once":            {readerAt{data, 0, network, false}, network},
		"in the middle":      {readerAt{data, 200_000, network, false}, network},
		"input is too short": {readerAt{data, 200_000, io.EOF, false}, io.ErrUnexpectedEOF},
		"no error given":     {readerAt{data, 200_000, nil, false}, io.ErrUnexpectedEOF},
		"panic":              {readerAt{data, 200_000, nil, true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			u := s.Serve("input", Input{c.in, int64(len(data))})
			if _, body, err := request(t, "GET", u, "", nil); err == nil {
				t.Errorf("the client read a complete body of %d bytes", len(body))
			}
			<-s.Context().Done()
			err := s.Finish(errors.New("exit status 1"))
			if c.want != nil && !errors.Is(err, c.want) || err == nil || !strings.Contains(err.Error(), `"input"`) {
				t.Errorf("Finish: %v; want %v", err, c.want)
			}
			if p := (*PanicError)(nil); c.in.panic && (!errors.As(err, &p) || p.Value != "boom" || len(p.Stack) == 0) {
				t.Errorf("Finish: %v; want the panic", err)
			}
			if !errors.Is(context.Cause(s.Context()), err) {
				t.Errorf("cause is %v", context.Cause(s.Context()))
			}
		})
	}
}

func TestClientThatLeavesIsNoFailure(t *testing.T) {
	s := start(t)
	u := s.Serve("input", Input{bytes.NewReader(make([]byte, 64<<20)), 64 << 20})
	resp, err := http.Get(u)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if err := s.Finish(nil); err != nil {
		t.Errorf("Finish: %v", err)
	}
}

func TestAcceptStreamsWithBackPressure(t *testing.T) {
	const size = 32 << 20
	s := start(t)
	release := make(chan struct{})
	var got int64
	u := s.Accept("out", func(_ context.Context, r io.Reader) error {
		<-release
		n, err := io.Copy(io.Discard, r)
		got = n
		return err
	})
	pr, pw := io.Pipe()
	sent := make(chan int64, 1)
	done := make(chan error, 1)
	go func() {
		resp, _, err := request(t, "PUT", u, "", pr)
		if err == nil && resp.StatusCode != http.StatusNoContent {
			err = errors.New(resp.Status)
		}
		done <- err
	}()
	go func() {
		block := make([]byte, 64<<10)
		var n atomic.Int64
		timer := time.AfterFunc(500*time.Millisecond, func() { sent <- n.Load(); close(release) })
		defer timer.Stop()
		for n.Load() < size {
			pw.Write(block)
			n.Add(int64(len(block)))
		}
		pw.Close()
	}()
	if n := <-sent; n >= size {
		t.Errorf("the client sent all %d bytes to a handler that read nothing", n)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := s.Finish(nil); err != nil || got != size {
		t.Errorf("Finish: %v; the handler got %d bytes of %d", err, got, size)
	}
}

// put sends a raw chunked PUT: data, then the last chunk if whole.
func put(t *testing.T, rawURL string, data []byte, whole bool) net.Conn {
	t.Helper()
	u, _ := url.Parse(rawURL)
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", u.Path, u.Host, len(data), data)
	if whole {
		io.WriteString(c, "0\r\n\r\n")
	}
	return c
}

// ffmpeg closes its connection right after the last chunk and reads no
// answer: the handler's work must go on, and be awaited.
func TestFinishAwaitsHandlerOfClientThatHasLeft(t *testing.T) {
	for range 20 {
		s := start(t)
		var got []byte
		u := s.Accept("out", func(ctx context.Context, r io.Reader) (err error) {
			if got, err = io.ReadAll(r); err != nil {
				return err
			}
			select { // the upload of the last segment
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(20 * time.Millisecond):
				got = append(got, "!"...)
				return nil
			}
		})
		put(t, u, []byte("hello"), true).Close()
		if err := s.Finish(nil); err != nil || string(got) != "hello!" {
			t.Fatalf("Finish: %v; got %q", err, got)
		}
	}
}

func TestCutStream(t *testing.T) {
	exit := errors.New("killed")
	for _, run := range []error{nil, exit} {
		s := start(t)
		var seen error
		u := s.Accept("out", func(_ context.Context, r io.Reader) error {
			_, seen = io.Copy(io.Discard, r)
			return seen
		})
		c := put(t, u, []byte("hello"), false)
		awaitOpen(t, s)
		c.Close()
		err := s.Finish(run)
		if !errors.Is(seen, ErrCut) {
			t.Errorf("the handler read %v", seen)
		}
		if run == nil && !errors.Is(err, ErrCut) || run != nil && err != run {
			t.Errorf("Finish(%v): %v", run, err)
		}
	}
}

func awaitOpen(t *testing.T, s *Server) {
	t.Helper()
	s.awaitOpened()
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.unopened(); r != nil {
		t.Fatalf("%q was not opened", r.name)
	}
}

func TestHandlerThatSwallowsACutStream(t *testing.T) {
	s := start(t)
	u := s.Accept("out", func(_ context.Context, r io.Reader) error {
		io.Copy(io.Discard, r)
		return nil
	})
	c := put(t, u, []byte("hello"), false)
	awaitOpen(t, s)
	c.Close()
	if err := s.Finish(nil); !errors.Is(err, ErrCut) {
		t.Errorf("Finish: %v", err)
	}
}

func TestHandlerFailureStopsTheClient(t *testing.T) {
	wrong := errors.New("wrong frame")
	s := start(t)
	u := s.Accept("out", func(_ context.Context, r io.Reader) error {
		io.ReadFull(r, make([]byte, 10))
		return wrong
	})
	began := time.Now()
	c := put(t, u, make([]byte, 100), false)
	defer c.Close()
	<-s.Context().Done()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err == nil && resp.StatusCode != 500 { // the reset may overtake the answer
		t.Errorf("status %v", resp.Status)
	}
	for err = nil; err == nil && time.Since(began) < 10*time.Second; {
		_, err = c.Write(make([]byte, 64<<10))
	}
	if err == nil {
		t.Error("the client can still write")
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the client was stopped after %v", took)
	}
	if err := s.Finish(errors.New("exit status 1")); err != wrong {
		t.Errorf("Finish: %v", err)
	}
	if err := s.Err(); err != wrong {
		t.Errorf("Err: %v", err)
	}
}

func TestHandlerPanicIsContained(t *testing.T) {
	s := start(t)
	u := s.Accept("out", func(context.Context, io.Reader) error { panic("boom") })
	put(t, u, []byte("hello"), true).Close()
	p := (*PanicError)(nil)
	if err := s.Finish(nil); !errors.As(err, &p) || p.Resource != "out" {
		t.Errorf("Finish: %v", err)
	}
}

func TestUnreadStreamIsDrained(t *testing.T) {
	s := start(t)
	u := s.Accept("out", func(context.Context, io.Reader) error { return nil })
	resp, _, err := request(t, "POST", u, "", bytes.NewReader(make([]byte, 8<<20)))
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Errorf("%v, %v", resp, err)
	}
	if err := s.Finish(nil); err != nil {
		t.Errorf("Finish: %v", err)
	}
}

func TestSecondWriteIsRefused(t *testing.T) {
	s := start(t)
	count := 0
	u := s.Accept("out", func(_ context.Context, r io.Reader) error {
		count++
		_, err := io.Copy(io.Discard, r)
		return err
	})
	if _, _, err := request(t, "PUT", u, "", strings.NewReader("a")); err != nil {
		t.Fatal(err)
	}
	resp, _, err := request(t, "PUT", u, "", strings.NewReader("b"))
	if err == nil && resp.StatusCode != http.StatusConflict {
		t.Errorf("second PUT: %v", resp.Status)
	}
	<-s.Context().Done()
	if err := s.Finish(nil); err == nil || !strings.Contains(err.Error(), "second time") || count != 1 {
		t.Errorf("Finish: %v after %d handlers", err, count)
	}
}

func TestNothingReceived(t *testing.T) {
	s := start(t)
	s.Accept("out", func(context.Context, io.Reader) error { return nil })
	exit := errors.New("exit status 1")
	if err := s.Finish(exit); err != exit {
		t.Errorf("Finish: %v", err)
	}
	s = start(t)
	s.Accept("out", func(context.Context, io.Reader) error { return nil })
	s.grace = 10 * time.Millisecond
	if err := s.Finish(nil); !errors.Is(err, ErrNothingReceived) {
		t.Errorf("Finish: %v", err)
	}
}

func TestEndOfContextEndsHandlers(t *testing.T) {
	why := errors.New("deadline of the function")
	ctx, cancel := context.WithCancelCause(t.Context())
	s, err := New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ended := make(chan error, 2)
	for range 2 {
		u := s.Accept("out", func(ctx context.Context, r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			ended <- err
			return err
		})
		defer put(t, u, []byte("hello"), false).Close()
	}
	awaitOpen(t, s)
	cancel(why)
	for range 2 {
		if err := <-ended; !errors.Is(err, ErrCut) {
			t.Errorf("the handler read %v", err)
		}
	}
	if err := s.Finish(nil); !errors.Is(err, why) {
		t.Errorf("Finish: %v", err)
	}
}

func TestCloseCutsEverything(t *testing.T) {
	s := start(t)
	ended := make(chan error, 1)
	u := s.Accept("out", func(ctx context.Context, r io.Reader) error {
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return nil
	})
	defer put(t, u, []byte("hello"), false).Close()
	awaitOpen(t, s)
	s.Close()
	select {
	case err := <-ended:
		if err != ErrClosed {
			t.Errorf("cause %v", err)
		}
	default:
		t.Error("Close returned before the handler")
	}
	if _, err := http.Get(u); err == nil {
		t.Error("still answers after Close")
	}
	s.Close() // again is fine
}

func BenchmarkServe(b *testing.B) {
	data := make([]byte, 64<<20)
	s, err := New(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	u := s.Serve("input", Input{bytes.NewReader(data), int64(len(data))})
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		resp, err := http.Get(u)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

// TestStreamIsPouredOnce: a stream is read whole, once, and what its source can't
// give is never taken for its end.
func TestStreamIsPouredOnce(t *testing.T) {
	s := start(t)
	data := noise(3 << 20)
	url := s.Stream("samples", func(_ context.Context, w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(data))
		return err
	})
	resp, got, err := request(t, http.MethodGet, url, "bytes=0-", nil)
	if err != nil || resp.StatusCode != http.StatusOK || !bytes.Equal(got, data) {
		t.Fatalf("%v: %d bytes", err, len(got))
	}
	for _, method := range []string{http.MethodPut, http.MethodHead} {
		if resp, _, err := request(t, method, url, "", nil); err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %v, %v", method, resp, err)
		}
	}
	if resp, _, err := request(t, http.MethodGet, url, "", nil); err == nil && resp.StatusCode != http.StatusConflict {
		t.Errorf("a second time: %v", resp.Status)
	}
	if err := s.Finish(nil); err == nil || !strings.Contains(err.Error(), "second time") {
		t.Errorf("%v", err)
	}
}

func TestStreamThatBreaks(t *testing.T) {
	s := start(t)
	broken := errors.New("broken")
	url := s.Stream("samples", func(_ context.Context, w io.Writer) error {
		_, _ = w.Write(noise(100 << 10))
		return broken
	})
	if _, got, err := request(t, http.MethodGet, url, "", nil); err == nil {
		t.Errorf("%d bytes look like all", len(got))
	}
	if err := s.Finish(nil); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// TestStreamWhoseClientLeaves: the source's write fails, and the run's own error
// is the one that counts.
func TestStreamWhoseClientLeaves(t *testing.T) {
	s := start(t)
	wrote := make(chan error, 1)
	url := s.Stream("samples", func(ctx context.Context, w io.Writer) error {
		chunk := noise(64 << 10)
		for {
			if _, err := w.Write(chunk); err != nil {
				wrote <- err
				return err
			}
		}
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if err := <-wrote; !errors.Is(err, ErrCut) {
		t.Errorf("%v", err)
	}
	run := errors.New("the program died")
	if err := s.Finish(run); !errors.Is(err, run) {
		t.Errorf("%v", err)
	}
}
