package stack

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"

	"sealreel/local/internal/atomicfile"
	"sealreel/local/lambda"
)

// state is what must be the same after a restart and no service keeps.
type state struct {
	path string

	User  credentials    `json:"user"`  // of whoever uses the stack from outside
	Ports map[string]int `json:"ports"` // by service
}

// credentials is a key pair as it lies in the state file.
type credentials struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

// openState reads the state or makes a new one.
func openState(path string) (*state, error) {
	s := &state{path: path, Ports: map[string]int{}}
	doc, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.User = credentials{AccessKeyID: "SRUSER" + rand.Text()[:14], SecretAccessKey: newSecret()}
		return s, s.save()
	case err != nil:
		return nil, fmt.Errorf("stack: read the state: %w", err)
	}
	if err := json.Unmarshal(doc, s); err != nil || s.User.AccessKeyID == "" {
		return nil, fmt.Errorf("stack: %s is damaged; restore it, or remove the folder to start anew", path)
	}
	return s, nil
}

func (s *state) save() error {
	err := atomicfile.Write(s.path, 0o600, func(w io.Writer) error { return json.NewEncoder(w).Encode(s) })
	if err != nil {
		return fmt.Errorf("stack: keep the state: %w", err)
	}
	return nil
}

// address returns where a service should listen: its port of last time if
// that is free, else any.
func (s *state) address(service string) string {
	if port := s.Ports[service]; port != 0 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if l, err := net.Listen("tcp", address); err == nil && l.Close() == nil {
			return address
		}
	}
	return "127.0.0.1:0"
}

// keep remembers the port of a service's address.
func (s *state) keep(service, address string) error {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("stack: the address of %s: %w", service, err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("stack: the port of %s: %w", service, err)
	}
	if s.Ports == nil {
		s.Ports = map[string]int{}
	}
	if s.Ports[service] == port {
		return nil
	}
	s.Ports[service] = port
	return s.save()
}

// functionCredentials are those of a function's role. The id tells who
// called; the secret is good for this run.
func functionCredentials(id string) lambda.Credentials {
	return lambda.Credentials{AccessKeyID: functionKeyPrefix + id, SecretAccessKey: newSecret()}
}

// functionKeyPrefix starts the access key id of every function. Those of its
// environments go on with keySeparator and a number.
const (
	functionKeyPrefix = "SRFN"
	keySeparator      = "."
)

func newSecret() string {
	var b [30]byte
	rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}
