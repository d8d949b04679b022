package seal

import (
	"fmt"
	"net"
	"net/url"
)

// PlaintextEndpointError says that a customer key would have gone over the
// network unprotected. Nothing was sent.
type PlaintextEndpointError struct{ Endpoint string }

func (e *PlaintextEndpointError) Error() string {
	return fmt.Sprintf("a customer key is not sent to %s: use an https endpoint (plain http is for loopback addresses only)", e.Endpoint)
}

// CheckEndpoint allows keys to travel to u when it is https or when it is a
// loopback address; else it returns a *PlaintextEndpointError. Names other than
// localhost do not count as loopback, whatever they resolve to now.
func CheckEndpoint(u *url.URL) error {
	switch u.Scheme {
	case "https":
		return nil
	case "http":
		host := u.Hostname()
		if ip := net.ParseIP(host); host == "localhost" || (ip != nil && ip.IsLoopback()) {
			return nil
		}
	}
	return &PlaintextEndpointError{Endpoint: u.Scheme + "://" + u.Host}
}
