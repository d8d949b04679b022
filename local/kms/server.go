// Package kms is an embedded AWS KMS: symmetric keys and aliases over the
// AWS JSON protocol.
//
// It keeps what callers of KMS rely on: a ciphertext names its key, opens
// only with the encryption context it was made with, and cannot be changed
// unnoticed; disabled keys do nothing; keys, and so ciphertexts, survive a
// restart. Who may use a key its policy says, and that of the caller where
// the key's policy leaves it to those. Grants and tags are not there.
//
// The keys lie unencrypted in a file of mode 0600: this stands in for the
// hardware of a test account and must guard nothing real.
package kms

import (
	"errors"
	"net/http"
	"sync"

	"sealreel/local/internal/awsjson"
	"sealreel/local/internal/gate"
)

// Config says where and for whom a Server keeps keys.
type Config struct {
	Dir     string // folder of the key file, made if missing; one Server at a time
	Region  string // for ARNs
	Account string // twelve digits, for ARNs

	// Known reports whether an access key id may call over HTTP.
	Known func(accessKeyID string) bool
	// Gate says who may do what, by policies of keys and callers; nil admits
	// every known access key id.
	Gate *gate.Gate
	// OnRequest, when set, hears of every request when it is answered. It is
	// called from many goroutines.
	OnRequest func(Request)
}

// Request is one answered request, as CloudTrail would show it.
type Request struct {
	Action            string            // for example Decrypt
	KeyARN            string            // of the key it used; empty if none was found
	EncryptionContext map[string]string // of the caller; for ReEncrypt that of the source
	AccessKeyID       string            // of the caller
	Service           string            // that called in the caller's name, such as s3.us-east-1.amazonaws.com; empty for the caller itself
	Status            int               // HTTP status
	gate.Record
}

// Server holds the keys of one account and region. It is an http.Handler,
// for callers on TLS or on the loopback interface: bodies hold plaintext
// keys.
type Server struct {
	config  Config
	handler *awsjson.Handler
	path    string // of the key file

	mu      sync.RWMutex // guards what follows
	keys    map[string]*key
	aliases map[string]string // alias/NAME to key id
}

// Open starts a Server on the keys in config.Dir. It holds nothing that
// must be closed.
func Open(config Config) (*Server, error) {
	if config.Dir == "" || config.Region == "" || config.Account == "" || config.Known == nil {
		return nil, errors.New("kms: Config needs Dir, Region, Account and Known")
	}
	s := &Server{config: config}
	s.handler = &awsjson.Handler{
		Version: "1.1",
		Target:  "TrentService",
		Actions: s.actions(),
		MaxBody: 256 << 10,
		Known:   config.Known,
		Private: true,
		Done:    func(c *awsjson.Call, status int) { s.report(c, "", status) },
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	return s, nil
}

// ServeHTTP answers a client of KMS's JSON protocol.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Server) report(c *awsjson.Call, service string, status int) {
	if s.config.OnRequest != nil {
		s.config.OnRequest(Request{Action: c.Action, KeyARN: c.Resource, EncryptionContext: c.Context,
			AccessKeyID: c.AccessKeyID, Service: service, Status: status, Record: c.Record})
	}
}

// actions are the operations that clients can call.
func (s *Server) actions() map[string]awsjson.Action {
	return map[string]awsjson.Action{
		"CreateKey":                       awsjson.Decoded(s.createKey),
		"DescribeKey":                     awsjson.Decoded(s.describeKey),
		"DisableKey":                      awsjson.Decoded(s.disableKey),
		"EnableKey":                       awsjson.Decoded(s.enableKey),
		"GetKeyPolicy":                    awsjson.Decoded(s.getKeyPolicy),
		"PutKeyPolicy":                    awsjson.Decoded(s.putKeyPolicy),
		"ListKeys":                        awsjson.Decoded(s.listKeys),
		"CreateAlias":                     awsjson.Decoded(s.createAlias),
		"ListAliases":                     awsjson.Decoded(s.listAliases),
		"Encrypt":                         awsjson.Decoded(s.encrypt),
		"Decrypt":                         awsjson.Decoded(s.decrypt),
		"ReEncrypt":                       awsjson.Decoded(s.reEncrypt),
		"GenerateDataKey":                 awsjson.Decoded(s.generateDataKey),
		"GenerateDataKeyWithoutPlaintext": awsjson.Decoded(s.generateDataKeyWithoutPlaintext),
		"GenerateRandom":                  awsjson.Decoded(s.generateRandom),
	}
}
