package s3

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"
	"github.com/versity/versitygw/s3api/utils"
	"github.com/versity/versitygw/s3err"

	"sealreel/local/iam"
	"sealreel/local/internal/gate"
)

const (
	maxConnections = 4096
	maxRequests    = 1024 // at a time; further ones get 503 SlowDown
	maxParts       = 10_000
)

// Config says where a server keeps its data and how it is reached.
type Config struct {
	Dir       string       // data directory, made if need be; one process at a time
	Region    string       // default us-east-1
	AccessKey string       // root pair, required
	SecretKey string       //
	Addr      string       // default 127.0.0.1:0, which takes a free port
	TLS       *Authority   // nil serves plain HTTP, over which SSE-C is refused
	Log       *slog.Logger // what goes wrong inside; nil drops it

	Account string     // twelve digits, for ARNs; default 000000000000
	Gate    *gate.Gate // says who may do what; nil admits every known access key
	Keys    KeyService // asked for keys of SSE-KMS; nil has every key and lets everybody use it
}

// Server is a running S3.
type Server struct {
	store    *store
	gateway  *s3api.S3ApiServer
	root     middlewares.RootUserConfig
	accounts accounts
	requests hooks[Request]
	region   string
	url      string
	tls      *Authority
	served   chan error // the result of serving, once
	close    func() error
}

// Open starts a server on the directory. ctx bounds the start only; the server runs until Close.
func Open(ctx context.Context, c Config) (*Server, error) {
	if c.AccessKey == "" || c.SecretKey == "" {
		return nil, errors.New("s3: the root access key and its secret must be given")
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.Account == "" {
		c.Account = "000000000000"
	}
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	store, err := openStore(filepath.Clean(c.Dir), c)
	if err != nil {
		return nil, fmt.Errorf("s3: open %s: %w", c.Dir, err)
	}
	srv := &Server{
		store: store, region: c.Region, tls: c.TLS,
		root: middlewares.RootUserConfig{Access: c.AccessKey, Secret: c.SecretKey},
	}
	srv.close = sync.OnceValue(srv.shutDown)
	if err := srv.start(ctx, c.Addr); err != nil {
		return nil, errors.Join(fmt.Errorf("s3: listen on %s: %w", c.Addr, err), store.close())
	}
	return srv, nil
}

// start serves on addr. The gateway makes its listener itself, from a number: a free port is found by listening and
// letting go, and if someone else is faster, by doing so again.
func (srv *Server) start(ctx context.Context, addr string) error {
	var err error
	for range 5 {
		var fixed string
		if fixed, err = free(addr); err != nil {
			return err
		}
		if err = srv.serve(ctx, fixed); err == nil || fixed == addr || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func free(addr string) (string, error) {
	if !strings.HasSuffix(addr, ":0") {
		return addr, nil
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

func (srv *Server) serve(ctx context.Context, addr string) error {
	ready := make(chan struct{})
	options := []s3api.Option{
		s3api.WithQuiet(), s3api.WithKeepAlive(), s3api.WithMpMaxParts(maxParts),
		s3api.WithConcurrencyLimiter(maxConnections, maxRequests), s3api.WithOnListen(func() { close(ready) }),
		s3api.WithMiddleware("/", srv.record), s3api.WithMiddleware("/", finish),
		s3api.WithMiddleware("/", srv.bucketEncryption()), s3api.WithMiddleware("/", srv.objectACL()),
	}
	srv.url = "http://" + addr
	if srv.tls != nil {
		certificate := utils.NewCertStorage()
		if err := certificate.SetCertificate(srv.tls.CertFile(), srv.tls.KeyFile()); err != nil {
			return err
		}
		options = append(options, s3api.WithTLS(certificate))
		srv.url = "https://" + addr
	}
	gateway, err := s3api.New(guarded{srv.store}, srv.root, srv.region, &srv.accounts, auditor{}, nil, nil, nil, options...)
	if err != nil {
		return err
	}
	srv.gateway, srv.served = gateway, make(chan error, 1)
	go func() { srv.served <- gateway.ServeMultiPort([]string{addr}) }()
	select {
	case <-ready:
		return nil
	case err := <-srv.served:
		return err
	case <-ctx.Done():
		return errors.Join(ctx.Err(), gateway.ShutDown())
	}
}

// URL is the endpoint, without a slash at its end. Clients must address buckets in the path.
func (srv *Server) URL() string { return srv.url }

// CAPEM returns the certificate that clients must trust, nil for plain HTTP.
func (srv *Server) CAPEM() ([]byte, error) {
	if srv.tls == nil {
		return nil, nil
	}
	return srv.tls.CAPEM()
}

// Close stops the server, waiting some seconds for requests in flight, and lets go of the directory.
func (srv *Server) Close() error { return srv.close() }

func (srv *Server) shutDown() error {
	err := srv.gateway.ShutDown()
	select {
	case <-srv.served: // only says that the listener is closed
	case <-time.After(time.Second):
	}
	return errors.Join(err, srv.store.close())
}

// OnEvent has f called after each change of an object, when it is visible and before its writer is answered. f must
// be quick and may be called by many goroutines at a time.
func (srv *Server) OnEvent(f func(Event)) { srv.store.events.add(f) }

// OnRequest has f called for each request when its status is known. f must be quick and may be called by many
// goroutines at a time.
func (srv *Server) OnRequest(f func(Request)) { srv.requests.add(f) }

// SetBucketPolicy gives a bucket a policy for the gate to heed, or takes it away with nil. It is not stored.
func (srv *Server) SetBucketPolicy(bucket string, policy *iam.Policy) {
	srv.store.policies.set(bucket, policy)
}

// AddAccount makes a further pair of keys known. What it may do is for the gate to say. It is not stored.
func (srv *Server) AddAccount(accessKey, secretKey string) { srv.accounts.add(accessKey, secretKey) }

// RemoveAccount forgets a pair of keys that AddAccount made known.
func (srv *Server) RemoveAccount(accessKey string) { srv.accounts.remove(accessKey) }

// BucketOptions is how a bucket made from Go differs from one made over the wire without any setting.
type BucketOptions struct {
	Versioning bool
	AllowSSEC  bool   // BlockedEncryptionTypes NONE; new buckets block SSE-C, as on S3 since April 2026
	KMSKeyID   string // default encryption with aws:kms and this key, instead of AES256
	ACLs       bool   // objects may have grants: object ownership ObjectWriter instead of BucketOwnerEnforced
}

// CreateBucket makes a bucket, or brings an existing one to the options.
func (srv *Server) CreateBucket(name string, o BucketOptions) error {
	if !utils.IsValidBucketName(name) {
		return fmt.Errorf("s3: %q is no valid bucket name: 3 to 63 of a-z, 0-9, hyphen and dot", name)
	}
	set := func(b *bucketRecord) error {
		b.BlockSSEC, b.Default = !o.AllowSSEC, encryption{Method: methodS3}
		b.Ownership = types.ObjectOwnershipBucketOwnerEnforced
		if o.ACLs {
			b.Ownership = types.ObjectOwnershipObjectWriter
		}
		if o.KMSKeyID != "" {
			b.Default = encryption{Method: methodKMS, KMSKeyID: o.KMSKeyID}
		}
		switch {
		case o.Versioning:
			b.Versioning = types.BucketVersioningStatusEnabled
		case b.Versioning != "":
			b.Versioning = types.BucketVersioningStatusSuspended
		}
		return nil
	}
	record := &bucketRecord{Name: name}
	set(record)
	err := srv.store.createBucket(record)
	if errors.Is(err, s3err.GetAPIError(s3err.ErrBucketAlreadyOwnedByYou)) {
		err = srv.store.changeBucket(name, set)
	}
	return err
}

// HasBucket reports whether the bucket exists.
func (srv *Server) HasBucket(name string) bool {
	_, err := srv.store.bucket(name)
	return err == nil
}
