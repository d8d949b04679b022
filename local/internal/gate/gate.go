// Package gate stands in front of the embedded services: it says who calls
// and whether they may, and notes on whose word.
//
// Nothing passes undecided: an attempt is allowed by a statement or refused
// with the reason in AWS's words. A nil *Gate, which a service has when
// nobody gave it policies, lets everybody pass.
package gate

import (
	"fmt"

	"sealreel/local/iam"
)

// Caller is who a request says it is from.
type Caller struct {
	AccessKeyID  string
	SessionToken string // empty for one that has none
}

// Attempt is an action on a resource that a caller is about to take.
type Attempt struct {
	Action   string              // such as s3:PutObject
	Resource string              // ARN, or * where the action has none
	Context  map[string][]string // condition keys: what the service knows of the request
	Kind     iam.Kind            // how the resource's policy counts
	Policy   *iam.Policy         // of the resource, nil without one
}

// Record is what was decided about the attempts of one request.
type Record struct {
	Who    iam.Principal // zero as long as nobody asked, or for credentials that aren't good
	Denied bool
	By     []iam.Grant // all that allowed something
}

// Gate decides by the principals of a directory.
type Gate struct {
	Directory *iam.Directory
}

// Refusal is the error of an attempt that no policy allows.
type Refusal struct {
	User, Action, Resource string
	Reason                 string // because ..., or with an explicit deny ...
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", r.User, r.Action, r.Resource, r.Reason)
}

// Admit returns nil if the caller may do what it attempts, a *Refusal if
// not, and the directory's error if the caller is not who it says. The
// decision is noted in the record.
func (g *Gate) Admit(c Caller, a Attempt, note *Record) error {
	if g == nil {
		return nil
	}
	who, err := g.Directory.Principal(c.AccessKeyID, c.SessionToken)
	if err != nil {
		note.Denied = true
		return err
	}
	note.Who = who
	d := iam.Evaluate(iam.Request{Principal: who, Action: a.Action, Resource: a.Resource, Context: a.Context}, a.Policy, a.Kind)
	note.By = append(note.By, d.By...)
	if d.Allowed {
		return nil
	}
	note.Denied = true
	return &Refusal{User: who.Name(), Action: a.Action, Resource: a.Resource, Reason: d.Reason}
}
