package iam

import (
	"fmt"
	"slices"
	"strings"
)

// Principal is who makes a request.
type Principal struct {
	ARN        string // of the user, or of the role that a session has; empty for a service
	SessionARN string // arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION; empty for users and services
	Account    string // twelve digits; empty for a service
	Service    string // such as lambda.amazonaws.com; empty for users and sessions

	AccessKeyID string // that signed the request, if any did
	// Origin is the access key id that the chain of assumed roles began
	// with; the principal's own where it assumed none over STS.
	Origin string

	Identity []Policy // that are attached to the user or role
	Session  *Policy  // that the session was made with; nil if it has none
	// Unrestricted is for the person who runs the stack: allowed whatever no
	// policy denies. Trust policies hold for this person, too.
	Unrestricted bool
}

// Name is how errors name the principal: the session's ARN, the user's, or
// the service.
func (p Principal) Name() string {
	switch {
	case p.SessionARN != "":
		return p.SessionARN
	case p.ARN != "":
		return p.ARN
	}
	return p.Service
}

// UserID is the id that STS shows for the principal: the role's id and the
// session's name, the user's id, or of the root user the account.
func (p Principal) UserID() string {
	switch {
	case p.SessionARN != "":
		return uniqueID("AROA", p.ARN) + ":" + p.SessionARN[strings.LastIndex(p.SessionARN, "/")+1:]
	case rootARN.MatchString(p.ARN):
		return p.Account
	}
	return uniqueID("AIDA", p.ARN)
}

// reach is whom a statement of a resource's policy speaks of.
type reach int

const (
	nobody reach = iota
	account
	itself // the user or role by its ARN, or everybody
	session
)

// principals is the element Principal of a statement.
type principals struct {
	everybody bool
	arns      []string // of users, roles and sessions
	accounts  []string
	services  []string
}

// reach says how closely the element names p: grants to a session by its ARN
// and to an account mean something else than grants to a user or role.
func (e *principals) reach(p Principal) reach {
	switch {
	case p.SessionARN != "" && slices.Contains(e.arns, p.SessionARN):
		return session
	case e.everybody,
		p.ARN != "" && slices.Contains(e.arns, p.ARN),
		p.Service != "" && slices.Contains(e.services, p.Service):
		return itself
	case p.Account != "" && slices.Contains(e.accounts, p.Account):
		return account
	}
	return nobody
}

func parsePrincipals(v any) (*principals, error) {
	e := &principals{}
	if v == "*" {
		e.everybody = true
		return e, nil
	}
	kinds, ok := v.(object)
	if !ok || len(kinds) == 0 {
		return nil, fmt.Errorf("Principal %v is neither * nor an object", v)
	}
	for _, kind := range kinds {
		names, err := texts(kind.value)
		if err != nil {
			return nil, fmt.Errorf("Principal %s: %w", kind.name, err)
		}
		switch kind.name {
		case "AWS":
			err = e.addAWS(names)
		case "Service":
			err = e.addServices(names)
		default:
			err = fmt.Errorf("Principal %s is not supported", kind.name)
		}
		if err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *principals) addAWS(names []string) error {
	for _, name := range names {
		root := rootARN.FindStringSubmatch(name)
		switch {
		case name == "*":
			e.everybody = true
		case accountID.MatchString(name):
			e.accounts = append(e.accounts, name)
		case root != nil:
			e.accounts = append(e.accounts, root[1])
		case strings.ContainsAny(name, "*?"):
			return fmt.Errorf("Principal %q: wildcards match no part of a name; write * or the whole ARN", name)
		case roleARN.MatchString(name), userARN.MatchString(name), sessionARN.MatchString(name):
			e.arns = append(e.arns, name)
		default:
			return fmt.Errorf("Principal %q is neither an account nor the ARN of a user, role or session", name)
		}
	}
	return nil
}

func (e *principals) addServices(names []string) error {
	for _, name := range names {
		if !strings.HasSuffix(name, ".amazonaws.com") {
			return fmt.Errorf("Principal Service %q does not end in .amazonaws.com", name)
		}
		e.services = append(e.services, name)
	}
	return nil
}
