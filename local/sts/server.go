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
	"errors"
	"net/http"
	"net/url"
	"slices"

	"sealreel/local/iam"
	"sealreel/local/internal/awsjson"
	"sealreel/local/internal/awsquery"
)

var service = awsquery.Service{Name: "STS", Version: "2011-06-15", Namespace: "https://sts.amazonaws.com/doc/2011-06-15/", MaxBody: 64 << 10}

// Config says for whom a Server speaks.
type Config struct {
	// Directory knows who calls and what roles there are; it gets the
	// sessions that are made.
	Directory *iam.Directory
	// Issued, when set, hears of every access key before its holder does, for
	// services that verify signatures, and of the access key id by which it was
	// got.
	Issued func(accessKeyID, secretAccessKey, by string)
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
		service.Fail(w, id, err)
		return
	}
	result, err := actions[c.Action].run(s, c)
	c.Status = service.Answer(w, id, c.Action, result, err)
	if s.config.OnRequest != nil {
		s.config.OnRequest(c.Request)
	}
}

// accept reads the request as far as every action needs it.
func (s *Server) accept(w http.ResponseWriter, r *http.Request) (*call, error) {
	if r.TLS == nil && !awsjson.FromLoopback(r) {
		return nil, &Error{Status: http.StatusForbidden, Code: "AccessDenied", Message: "credentials travel only over TLS or on the loopback interface; call STS there"}
	}
	caller, err := s.caller(r.Header)
	if err != nil {
		return nil, err
	}
	parameters, err := service.Parameters(w, r, func(action string) bool { return actions[action].run != nil })
	if err != nil {
		return nil, err
	}
	name := parameters.Get("Action")
	takes := func(parameter string) bool { return slices.Contains(actions[name].takes, parameter) }
	if err := service.Check(parameters, takes, "ValidationError"); err != nil {
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
		return p, &Error{Status: http.StatusForbidden, Code: "ExpiredToken", Message: "The security token included in the request is expired"}
	}
	if err != nil {
		return p, &Error{Status: http.StatusForbidden, Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid."}
	}
	return p, nil
}
