package sts

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	"sealreel/local/iam"
)

// The limits of AssumeRole (STS API reference 2011-06-15).
const (
	minDuration     = 900 * time.Second
	maxDuration     = 43200 * time.Second
	chainedDuration = time.Hour // for a caller that is itself a session
	maxPolicy       = 2048      // characters
)

var (
	sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	externalID  = regexp.MustCompile(`^[\w+=,.@:/-]+$`)
	roleARN     = regexp.MustCompile(`^arn:[\x21-\x7e]+$`)
	policyText  = regexp.MustCompile(`^[\t\n\r\x20-\x{ff}]+$`)
)

type assumeRoleResult struct {
	XMLName          xml.Name    `xml:"AssumeRoleResult"`
	AssumedRoleUser  assumedUser `xml:"AssumedRoleUser"`
	Credentials      issuedKeys  `xml:"Credentials"`
	PackedPolicySize *int        `xml:"PackedPolicySize,omitempty"` // percent; only with a policy
}

type assumedUser struct {
	ID  string `xml:"AssumedRoleId"`
	ARN string `xml:"Arn"`
}

type issuedKeys struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

// assumeRole makes a session. What is malformed is told to anyone; of a role
// that is not there nobody learns more than of one that may not be assumed.
func (s *Server) assumeRole(c *call) (any, error) {
	c.RoleARN = c.parameters.Get("RoleArn")
	session, err := sessionOf(c)
	if err != nil {
		return nil, err
	}
	policySize, err := parsePolicy(c, &session)
	if err != nil {
		return nil, err
	}
	role, err := s.authorize(c, session.Name)
	if err != nil {
		return nil, err
	}
	switch {
	case session.Duration > role.MaxSession:
		return nil, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	case session.Duration > chainedDuration && c.Caller.SessionARN != "":
		return nil, invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	made, err := s.config.Directory.Issue(session)
	if err != nil {
		return nil, err
	}
	if s.config.Issued != nil {
		s.config.Issued(made.AccessKeyID, made.SecretAccessKey, c.AccessKeyID)
	}
	c.Issued = made.AccessKeyID
	who, err := s.config.Directory.Principal(made.AccessKeyID, made.SessionToken)
	if err != nil {
		return nil, fmt.Errorf("the session is gone as soon as it was made: %w", err)
	}
	return assumeRoleResult{
		AssumedRoleUser:  assumedUser{who.UserID(), who.SessionARN},
		Credentials:      issuedKeys{made.AccessKeyID, made.SecretAccessKey, made.SessionToken, made.Expires.Format(time.RFC3339)},
		PackedPolicySize: policySize,
	}, nil
}

// sessionOf reads the parameters but Policy.
func sessionOf(c *call) (iam.Session, error) {
	s := iam.Session{Role: c.RoleARN, Name: c.parameters.Get("RoleSessionName"), Duration: iam.DefaultMaxSession, Origin: c.Caller.Origin}
	if length := len(s.Role); length < 20 || length > 2048 || !roleARN.MatchString(s.Role) {
		return s, constraint("RoleArn", "Member must be an ARN of 20 to 2048 characters")
	}
	if !sessionName.MatchString(s.Name) {
		return s, constraint("RoleSessionName", `Member must satisfy regular expression pattern: [\w+=,.@-]{2,64}`)
	}
	id := c.parameters.Get("ExternalId")
	if c.parameters.Has("ExternalId") && (len(id) < 2 || len(id) > 1224 || !externalID.MatchString(id)) {
		return s, constraint("ExternalId", `Member must satisfy regular expression pattern: [\w+=,.@:\/-]{2,1224}`)
	}
	if !c.parameters.Has("DurationSeconds") {
		return s, nil
	}
	seconds, err := strconv.ParseInt(c.parameters.Get("DurationSeconds"), 10, 32)
	s.Duration = time.Duration(seconds) * time.Second
	switch {
	case err != nil:
		return s, constraint("DurationSeconds", "Member must be a whole number")
	case s.Duration < minDuration:
		return s, constraint("DurationSeconds", "Member must have value greater than or equal to 900")
	case s.Duration > maxDuration:
		return s, constraint("DurationSeconds", "Member must have value less than or equal to 43200")
	}
	return s, nil
}

// parsePolicy reads the session's policy and returns how much of the limit it
// takes, in percent: nil for none. AWS packs it in a way of its own before it
// measures; here a character is a character.
func parsePolicy(c *call, s *iam.Session) (*int, error) {
	if !c.parameters.Has("Policy") {
		return nil, nil
	}
	text := c.parameters.Get("Policy")
	length := utf8.RuneCountInString(text)
	switch {
	case length == 0:
		return nil, constraint("Policy", "Member must have length greater than or equal to 1")
	case length > maxPolicy:
		return nil, constraint("Policy", fmt.Sprintf("Member must have length less than or equal to %d", maxPolicy))
	case !policyText.MatchString(text):
		return nil, constraint("Policy", `Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+`)
	}
	document, err := iam.ParseIdentity([]byte(text))
	if err != nil {
		return nil, &Error{Status: http.StatusBadRequest, Code: "MalformedPolicyDocument", Message: err.Error()}
	}
	s.Policy = &iam.Policy{Name: "session " + s.Name, Document: document}
	percent := (100*length + maxPolicy - 1) / maxPolicy
	return &percent, nil
}

// authorize asks whether the caller may assume the role it names.
func (s *Server) authorize(c *call, session string) (iam.Role, error) {
	role, found := s.config.Directory.Role(c.RoleARN)
	request := iam.Request{Principal: c.Caller, Action: "sts:AssumeRole", Resource: c.RoleARN, Context: map[string][]string{
		"sts:RoleSessionName": {session},
		"aws:SecureTransport": {strconv.FormatBool(c.secure)},
	}}
	if c.parameters.Has("ExternalId") {
		request.Context["sts:ExternalId"] = []string{c.parameters.Get("ExternalId")}
	}
	decision := iam.Evaluate(request, role.Trust, iam.RoleTrust)
	if !found || !decision.Allowed {
		return role, &Error{Status: http.StatusForbidden, Code: "AccessDenied", Message: fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", c.Caller.Name(), c.RoleARN)}
	}
	c.By = decision.By
	return role, nil
}

type callerIdentity struct {
	XMLName xml.Name `xml:"GetCallerIdentityResult"`
	ARN     string   `xml:"Arn"`
	UserID  string   `xml:"UserId"`
	Account string
}

// getCallerIdentity needs no permission: whoever has keys may learn whose.
func (s *Server) getCallerIdentity(c *call) (any, error) {
	return callerIdentity{ARN: c.Caller.Name(), UserID: c.Caller.UserID(), Account: c.Caller.Account}, nil
}
