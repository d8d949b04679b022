package fault

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// Gateway passes requests on to a service that listens elsewhere and hears of
// them by its address only.
type Gateway struct {
	server   *http.Server
	listener net.Listener
	behind   *http.Transport
}

// Gate says where a Gateway listens and what it passes requests on to.
type Gate struct {
	Service string
	Addr    string
	Behind  string // base URL
	// CertFile and KeyFile are PEM files of the server, CAPEM the certificate
	// that signed it, which must hold for the service behind too.
	CertFile, KeyFile string
	CAPEM             []byte
}

// Open starts a Gateway over TLS. Requests reach the service as they came, its
// Host included, so that signatures hold.
func (e *Engine) Open(g Gate) (*Gateway, error) {
	behind, err := url.Parse(g.Behind)
	if err != nil {
		return nil, fmt.Errorf("fault: the address of %s: %w", g.Service, err)
	}
	certificate, err := tls.LoadX509KeyPair(g.CertFile, g.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("fault: the certificate in front of %s: %w", g.Service, err)
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(g.CAPEM) {
		return nil, fmt.Errorf("fault: no certificate to trust %s by", g.Service)
	}
	listener, err := net.Listen("tcp", g.Addr)
	if err != nil {
		return nil, fmt.Errorf("fault: listen in front of %s: %w", g.Service, err)
	}
	silence := log.New(io.Discard, "", 0) // of callers that are killed there is nothing to say
	gateway := &Gateway{listener: listener, behind: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}, DisableCompression: true, MaxIdleConnsPerHost: 256,
		ExpectContinueTimeout: time.Minute, IdleConnTimeout: 10 * time.Second,
	}}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host, p.Out.URL.RawQuery = behind.Scheme, behind.Host, p.In.URL.RawQuery
			p.Out.Host = p.In.Host
		},
		Transport: gateway.behind, ErrorLog: silence,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	gateway.server = &http.Server{Handler: e.Front(g.Service, proxy), ReadHeaderTimeout: time.Minute, ErrorLog: silence,
		TLSConfig:    &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}} // HTTP/1, as S3 speaks it
	go gateway.server.ServeTLS(listener, "", "") // ends with Close
	return gateway, nil
}

// Addr is where it listens.
func (g *Gateway) Addr() string { return g.listener.Addr().String() }

// Close ends every connection.
func (g *Gateway) Close() error {
	err := g.server.Close()
	g.behind.CloseIdleConnections()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
