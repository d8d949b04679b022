package iam

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Errors of Directory.Principal.
var (
	// ErrUnknownKey is for an access key id that nobody has.
	ErrUnknownKey = errors.New("iam: unknown access key id")
	// ErrToken is for a session token that is missing, is another's, or comes
	// with an access key that has none.
	ErrToken = errors.New("iam: the session token does not belong to the access key id")
	// ErrExpired is for credentials of a session that has ended.
	ErrExpired = errors.New("iam: the session has expired")
)

// DefaultMaxSession is how long sessions of a role last at most if the role
// does not say.
const DefaultMaxSession = time.Hour

// keepExpired is how long an ended session is told from one that never was.
const keepExpired = time.Hour

// Role is a role of the account.
type Role struct {
	ARN        string        // arn:aws:iam::ACCOUNT:role/NAME
	Trust      *Policy       // who may assume it; nil: nobody
	Policies   []Policy      // what its sessions may do
	MaxSession time.Duration // 0 means DefaultMaxSession
}

// Session is what a session of a role is made from.
type Session struct {
	Role     string // ARN
	Name     string // RoleSessionName
	Policy   *Policy
	Duration time.Duration
	Origin   string // the assuming Principal's Origin
}

// Credentials are the keys of a session. Printed they show only their id.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expires                                    time.Time
}

// String returns the access key id.
func (c Credentials) String() string { return c.AccessKeyID }

// GoString returns the access key id.
func (c Credentials) GoString() string { return c.AccessKeyID }

// holder is who has an access key id: a user, or a session of a role.
type holder struct {
	user    string // ARN; empty for a session
	session Session
	token   string    // empty for users and functions
	expires time.Time // zero: never
}

// Directory knows the roles of an account, and the users, functions and
// sessions by their access key ids. It can be used by many goroutines. It is
// kept in memory only: after a restart every session has to be made anew.
type Directory struct {
	mu      sync.RWMutex
	roles   map[string]Role
	holders map[string]holder
}

// NewDirectory returns an empty Directory.
func NewDirectory() *Directory {
	return &Directory{roles: map[string]Role{}, holders: map[string]holder{}}
}

// AddUser lets an access key id act as the user with the ARN, unrestricted.
func (d *Directory) AddUser(accessKeyID, arn string) error {
	if accessKeyID == "" || !userARN.MatchString(arn) {
		return fmt.Errorf("iam: %q with access key id %q is no user", arn, accessKeyID)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holders[accessKeyID] = holder{user: arn}
	return nil
}

// AddRole adds a role, or replaces it: sessions that exist go on under its
// new policies, as on AWS.
func (d *Directory) AddRole(r Role) error {
	if !roleARN.MatchString(r.ARN) {
		return fmt.Errorf("iam: %q is not the ARN of a role", r.ARN)
	}
	if r.MaxSession == 0 {
		r.MaxSession = DefaultMaxSession
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.roles[r.ARN] = r
	return nil
}

// Role returns the role with the ARN.
func (d *Directory) Role(arn string) (Role, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	r, ok := d.roles[arn]
	return r, ok
}

// AddFunction lets an access key id act for a function, in a session of its
// role that is named like the function and never ends. The Lambda service
// assumes it, so whether the role trusts lambda.amazonaws.com is for the
// caller to ask before.
func (d *Directory) AddFunction(accessKeyID, name, roleARN string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.roles[roleARN]; !ok || accessKeyID == "" || !sessionARN.MatchString(sessionOf(roleARN, name)) {
		return fmt.Errorf("iam: function %q with access key id %q needs a role that exists, not %q", name, accessKeyID, roleARN)
	}
	d.holders[accessKeyID] = holder{session: Session{Role: roleARN, Name: name, Origin: accessKeyID}}
	return nil
}

// AddKey lets a further access key id act as the holder of another does, with
// the same Origin, until Remove.
func (d *Directory) AddKey(accessKeyID, of string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	h, ok := d.holders[of]
	if _, taken := d.holders[accessKeyID]; !ok || taken || accessKeyID == "" {
		return fmt.Errorf("iam: access key id %q can't stand for %q: that is unknown, or this is taken", accessKeyID, of)
	}
	d.holders[accessKeyID] = h
	return nil
}

// Remove takes an access key id from its holder. One that nobody has is no error.
func (d *Directory) Remove(accessKeyID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.holders, accessKeyID)
}

// Issue makes a session of a role and its credentials. Whether the caller
// may, and for how long, is for STS to ask before.
func (d *Directory) Issue(s Session) (Credentials, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.roles[s.Role]; !ok || !sessionARN.MatchString(sessionOf(s.Role, s.Name)) {
		return Credentials{}, fmt.Errorf("iam: no session %q of role %q: the role is unknown or the name malformed", s.Name, s.Role)
	}
	now := time.Now()
	for id, h := range d.holders {
		if !h.expires.IsZero() && now.After(h.expires.Add(keepExpired)) {
			delete(d.holders, id)
		}
	}
	c := Credentials{
		AccessKeyID:     "ASIA" + base32.StdEncoding.EncodeToString(random(10)),
		SecretAccessKey: base64.StdEncoding.EncodeToString(random(30)),
		SessionToken:    base64.StdEncoding.EncodeToString(random(240)),
		Expires:         now.Add(s.Duration).UTC().Truncate(time.Second),
	}
	d.holders[c.AccessKeyID] = holder{session: s, token: c.SessionToken, expires: c.Expires}
	return c, nil
}

// Principal returns who has an access key id, with the policies as they are
// now. The error is ErrUnknownKey, ErrToken or ErrExpired.
func (d *Directory) Principal(accessKeyID, sessionToken string) (Principal, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	h, ok := d.holders[accessKeyID]
	if !ok {
		return Principal{}, ErrUnknownKey
	}
	if subtle.ConstantTimeCompare([]byte(h.token), []byte(sessionToken)) != 1 {
		return Principal{}, ErrToken
	}
	if !h.expires.IsZero() && !time.Now().Before(h.expires) {
		return Principal{}, ErrExpired
	}
	p := Principal{AccessKeyID: accessKeyID, Origin: accessKeyID}
	if h.user != "" {
		p.ARN, p.Account, p.Unrestricted = h.user, userARN.FindStringSubmatch(h.user)[1], true
		return p, nil
	}
	role := d.roles[h.session.Role] // roles are never taken away
	p.ARN, p.SessionARN = role.ARN, sessionOf(role.ARN, h.session.Name)
	p.Account = roleARN.FindStringSubmatch(role.ARN)[2]
	p.Identity, p.Session, p.Origin = role.Policies, h.session.Policy, h.session.Origin
	return p, nil
}

// sessionOf is the ARN of a role's session; it has no place for the role's path.
func sessionOf(role, name string) string {
	m := roleARN.FindStringSubmatch(role)
	if m == nil {
		return ""
	}
	return fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", m[1], m[2], m[3], name)
}

// uniqueID is the id that IAM would give a user or role: the prefix, AIDA or
// AROA, and 17 characters. Here it follows from the ARN.
func uniqueID(prefix, arn string) string {
	sum := sha256.Sum256([]byte(arn))
	return prefix + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails since Go 1.24
	return b
}
