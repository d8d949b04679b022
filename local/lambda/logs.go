package lambda

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// logFile is the log of a function. Lines of its environments are whole and
// in the order of each environment.
type logFile struct {
	function string
	onLine   func(function, line string)

	mu   sync.Mutex
	file *os.File
	err  error // first failure to write
}

func openLog(path, function string, onLine func(function, line string)) (*logFile, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return &logFile{function: function, onLine: onLine, file: file}, nil
}

func (l *logFile) line(text string) {
	text = strings.TrimRight(text, "\r\n")
	l.mu.Lock()
	if _, err := l.file.WriteString(text + "\n"); err != nil && l.err == nil {
		l.err = fmt.Errorf("lambda: write the log of %s: %w", l.function, err)
	}
	l.mu.Unlock()
	if l.onLine != nil {
		l.onLine(l.function, text)
	}
}

func (l *logFile) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.file.Close(); err != nil && l.err == nil {
		l.err = err
	}
	return l.err
}

// logStream is the log of one environment. What comes into it is dropped,
// as on AWS, if the function's role may not make it or write to it.
type logStream struct {
	name, arn string
	function  *function
	denied    atomic.Bool
}

// newLogStream makes the stream of a name.
func newLogStream(f *function, name string) *logStream {
	arn := fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s:log-stream:%s", f.config.Region, f.config.Account, f.spec.LogGroup, name)
	s := &logStream{name: name, arn: arn, function: f}
	s.ask("logs:CreateLogStream")
	return s
}

// ask asks whether the function's role may do something with the stream. If
// not, one line in the log says that what follows is missing.
func (s *logStream) ask(action string) {
	authorize := s.function.config.Authorize
	if authorize == nil || s.denied.Load() {
		return
	}
	if err := authorize(s.function.spec.ID, action, s.arn); err != nil {
		s.denied.Store(true)
		s.function.log.line(fmt.Sprintf("what %s prints is not logged: %v", s.function.spec.ID, err))
	}
}

func (s *logStream) line(text string) {
	if !s.denied.Load() {
		s.function.log.line(text)
	}
}

// maxLine is the length in bytes up to which a line is kept whole: the
// largest event of CloudWatch Logs.
const maxLine = 1 << 20

// logPipe carries what a process prints to the log, line by line.
type logPipe struct {
	log   *logStream
	write *os.File // the process's output; the host keeps it for its fences
	read  *os.File
	ended chan struct{} // closed when everything was read

	mu     sync.Mutex
	fences map[string]chan struct{}
}

func openLogPipe(log *logStream) (*logPipe, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe for the log: %w", err)
	}
	p := &logPipe{log: log, read: read, write: write, ended: make(chan struct{}), fences: map[string]chan struct{}{}}
	go p.copy()
	return p, nil
}

func (p *logPipe) copy() {
	defer close(p.ended)
	in := bufio.NewReaderSize(p.read, 64<<10)
	var read []byte
	for {
		part, err := in.ReadSlice('\n')
		read = append(read, part...)
		if err == bufio.ErrBufferFull {
			if len(read) > maxLine { // its end may be the start of a fence
				cut := len(read) - fenceLength
				p.log.line(string(read[:cut]))
				read = append(read[:0], read[cut:]...)
			}
			continue
		}
		line, passed := p.cutFence(read)
		if len(bytes.TrimRight(line, "\r\n")) > 0 {
			p.log.line(string(line))
		}
		if passed != nil {
			close(passed)
		}
		read = read[:0]
		if err != nil {
			return
		}
	}
}

// fenceLength is that of a fence in the pipe: a mark, an id, a line's end.
const fenceLength = 1 + 36 + 1

// cutFence takes a fence off the end of a line. It returns what is to be
// closed when the line is in the log, or nil when there is no fence.
func (p *logPipe) cutFence(line []byte) ([]byte, chan struct{}) {
	start := len(line) - fenceLength
	if start < 0 || line[start] != 0 {
		return line, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	id := string(line[start+1 : len(line)-1])
	passed, ok := p.fences[id]
	if !ok {
		return line, nil
	}
	delete(p.fences, id)
	return line[:start], passed
}

// fence returns when everything that was printed before is in the log.
func (p *logPipe) fence() {
	id, passed := newID(), make(chan struct{})
	p.mu.Lock()
	p.fences[id] = passed
	p.mu.Unlock()
	if _, err := p.write.WriteString("\x00" + id + "\n"); err != nil {
		return
	}
	select {
	case <-passed:
	case <-p.ended:
	}
}

// close ends the pipe after what is in it was read. The processes that
// could print are dead, but for one that left its group: it is not waited
// for.
func (p *logPipe) close() {
	p.write.Close()
	p.read.SetReadDeadline(time.Now().Add(time.Second))
	<-p.ended
	p.read.Close()
}
