package s3

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	certificateLife = 5 * 365 * 24 * time.Hour
	renewBefore     = 30 * 24 * time.Hour
)

// Authority is a certificate authority and a certificate of it for 127.0.0.1, ::1 and localhost, as PEM files in a
// directory. The authority's own key is thrown away when the certificate is signed, and its name constraints allow
// loopback names only, so a client that trusts it trusts nothing else by it.
type Authority struct{ dir string }

// OpenAuthority uses the files of an earlier call, or makes them if there are none or they end within 30 days.
func OpenAuthority(dir string) (*Authority, error) {
	a := &Authority{dir: dir}
	ends, err := a.ends()
	if err == nil && time.Until(ends) > renewBefore {
		return a, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("certificates in %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return a, a.make(time.Now())
}

// CAFile is the path of the authority's certificate: what AWS_CA_BUNDLE must name.
func (a *Authority) CAFile() string { return filepath.Join(a.dir, "ca.pem") }

// CertFile is the path of the server's certificate.
func (a *Authority) CertFile() string { return filepath.Join(a.dir, "server.pem") }

// KeyFile is the path of the server's private key.
func (a *Authority) KeyFile() string { return filepath.Join(a.dir, "server-key.pem") }

// CAPEM returns the authority's certificate.
func (a *Authority) CAPEM() ([]byte, error) { return os.ReadFile(a.CAFile()) }

// ends returns when the first of the two certificates ends.
func (a *Authority) ends() (time.Time, error) {
	var first time.Time
	for _, path := range []string{a.CAFile(), a.CertFile()} {
		raw, err := os.ReadFile(path)
		if err != nil {
			return time.Time{}, err
		}
		block, _ := pem.Decode(raw)
		if block == nil {
			return time.Time{}, fmt.Errorf("%s is no PEM file: remove the directory to have it made anew", path)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return time.Time{}, err
		}
		if first.IsZero() || cert.NotAfter.Before(first) {
			first = cert.NotAfter
		}
	}
	_, err := os.Stat(a.KeyFile())
	return first, err
}

func (a *Authority) make(now time.Time) error {
	loopback := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	ca := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Sealreel local authority"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{"localhost"},
		PermittedIPRanges: []*net.IPNet{
			{IP: loopback[0].To4(), Mask: net.CIDRMask(32, 32)},
			{IP: loopback[1], Mask: net.CIDRMask(128, 128)},
		},
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	leaf := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		DNSNames: []string{"localhost"}, IPAddresses: loopback,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		writePEM(a.KeyFile(), "PRIVATE KEY", keyDER),
		writePEM(a.CertFile(), "CERTIFICATE", leafDER),
		writePEM(a.CAFile(), "CERTIFICATE", caDER),
	)
}

func serial() *big.Int {
	var raw [16]byte
	rand.Read(raw[:])
	raw[0] &= 0x7f
	return new(big.Int).SetBytes(raw[:])
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
