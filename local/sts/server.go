// Package sts is an embedded AWS STS: AssumeRole and GetCallerIdentity over
// the Query protocol.
//
// A role is assumed only as its trust policy and the caller's own policies
// allow, for as long as the role allows, and with credentials that the other
// services of the embedded AWS know by the same iam.Directory. What AWS's STS
// takes and this one does not know is refused by name, never ignored: tags,
// managed session policies, MFA, and every other action.
//
// A caller is known by the access key id of its Signature Version 4 header
// and, for a session, by the session token. The signature is not verified,
// since whoever embeds this chose the secrets too.
package sts

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"sealreel/local/iam"
	"sealreel/local/internal/awsjson"
)

const (
	apiVersion = "2011-06-15"
	namespace  = "https://sts.amazonaws.com/doc/2011-06-15/"
	maxBody    = 64 << 10
)

// Config says for whom a Server speaks.
type Config struct {
	// Directory knows who calls and what roles there are; it gets the
	// sessions that are made.
	Directory *iam.Directory
	// Issued, when set, hears of every access key before its holder does, for
	// services that verify signatures.
	Issued func(accessKeyID, secretAccessKey string)
	// OnRequest, when set, hears of every request when it is answered. It is
	// called from many goroutines.
	OnRequest func(Request)
}

// Request is one answered request, as CloudTrail would show it. Requests
// without a known action or caller are none.
type Request struct {
	Action      string        // for example AssumeRole
	RoleARN     string        // as the caller asked for it; empty for other actions
	Caller      iam.Principal // who asked
	AccessKeyID string        // of the caller
	Issued      string        // access key id of the session that was made, if one was
	By          []iam.Grant   // what allowed it
	Status      int           // HTTP status
}

// Denied reports whether policies did not allow the request.
func (r Request) Denied() bool { return r.Status == http.StatusForbidden }

// Server answers for one account. It is an http.Handler, for callers on TLS
// or on the loopback interface: answers hold secrets.
type Server struct{ config Config }

// New returns a Server.
func New(config Config) (*Server, error) {
	if config.Directory == nil {
		return nil, errors.New("sts: Config needs Directory")
	}
	return &Server{config}, nil
}

// call is a request of a known caller for a known action.
type call struct {
	Request
	parameters url.Values
	secure     bool // over TLS
}

// action answers a call with what its Result element holds.
type action struct {
	takes []string // names of parameters
	run   func(*Server, *call) (result any, err error)
}

var actions = map[string]action{
	"AssumeRole":        {[]string{"RoleArn", "RoleSessionName", "DurationSeconds", "Policy", "ExternalId"}, (*Server).assumeRole},
	"GetCallerIdentity": {nil, (*Server).getCallerIdentity},
}

// ServeHTTP answers a client of the Query protocol.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := awsjson.UUID()
	c, err := s.accept(w, r)
	if err != nil {
		fail(w, id, err)
		return
	}
	result, err := actions[c.Action].run(s, c)
	if err != nil {
		c.Status = fail(w, id, err)
	} else {
		c.Status = http.StatusOK
		succeed(w, id, c.Action, result)
	}
	if s.config.OnRequest != nil {
		s.config.OnRequest(c.Request)
	}
}

// accept reads the request as far as every action needs it.
func (s *Server) accept(w http.ResponseWriter, r *http.Request) (*call, error) {
	if r.TLS == nil && !awsjson.FromLoopback(r) {
		return nil, &Error{http.StatusForbidden, "AccessDenied", "credentials travel only over TLS or on the loopback interface; call STS there"}
	}
	if r.Method != http.MethodPost {
		return nil, &Error{http.StatusMethodNotAllowed, "InvalidAction", "this embedded STS takes POST, not " + r.Method}
	}
	caller, err := s.caller(r.Header)
	if err != nil {
		return nil, err
	}
	parameters, err := form(w, r)
	if err != nil {
		return nil, err
	}
	name, version := parameters.Get("Action"), parameters.Get("Version")
	known, ok := actions[name]
	if !ok || version != apiVersion {
		return nil, &Error{http.StatusBadRequest, "InvalidAction", fmt.Sprintf("Could not find operation %s for version %s", name, version)}
	}
	if err := checkParameters(parameters, known.takes); err != nil {
		return nil, err
	}
	return &call{
		Request:    Request{Action: name, Caller: caller, AccessKeyID: caller.AccessKeyID},
		parameters: parameters, secure: r.TLS != nil,
	}, nil
}

// caller finds out who signed.
func (s *Server) caller(h http.Header) (iam.Principal, error) {
	id, err := awsjson.AccessKeyID(h.Get("Authorization"))
	if err != nil {
		return iam.Principal{}, err
	}
	p, err := s.config.Directory.Principal(id, h.Get("X-Amz-Security-Token"))
	if errors.Is(err, iam.ErrExpired) {
		return p, &Error{http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired"}
	}
	if err != nil {
		return p, &Error{http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid."}
	}
	return p, nil
}

func form(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	given := r.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(given); err != nil || media != "application/x-www-form-urlencoded" {
		return nil, &Error{http.StatusUnsupportedMediaType, "InvalidAction", fmt.Sprintf("content type %q is not application/x-www-form-urlencoded", given)}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, &Error{http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("the request is longer than %d bytes", maxBody)}
	}
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &Error{http.StatusBadRequest, "MalformedQueryString", "the body is not form-encoded: " + err.Error()}
	}
	return values, nil
}

func succeed(w http.ResponseWriter, id, action string, result any) {
	reply(w, id, http.StatusOK, struct {
		XMLName   xml.Name
		Result    any
		RequestID string `xml:"ResponseMetadata>RequestId"`
	}{xml.Name{Space: namespace, Local: action + "Response"}, result, id})
}

func reply(w http.ResponseWriter, id string, status int, answer any) {
	body, err := xml.Marshal(answer)
	if err != nil {
		// The answers are our own types; one that can't be encoded is a bug.
		panic(fmt.Sprintf("sts: encode %T: %v", answer, err))
	}
	h := w.Header()
	h.Set("Content-Type", "text/xml")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Amzn-Requestid", id)
	w.WriteHeader(status)
	w.Write(body) // a caller that is gone needs no answer
}
