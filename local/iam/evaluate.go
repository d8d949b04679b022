package iam

import (
	"strconv"
	"strings"
)

// Request is what is asked for.
type Request struct {
	Principal Principal
	Action    string // service:Name, in any case
	Resource  string // an ARN, or * for actions that concern no resource
	// Context holds the condition keys, in any case. Those that say who asks
	// (aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalIsAWSService and
	// aws:PrincipalServiceName) are filled in from Principal.
	Context map[string][]string
}

// Kind is how the policy of a resource and those of an identity join.
type Kind int

const (
	// AnyResource is the rule of S3, SQS and most others: within an account
	// either policy suffices.
	AnyResource Kind = iota
	// KMSKey needs the key's policy always: it names the principal, or it
	// names the account and the principal's own policy allows, too.
	KMSKey
	// RoleTrust is for sts:AssumeRole: as KMSKey, and Unrestricted does not
	// stand in for the trust policy.
	RoleTrust
)

// Decision is what became of a request.
type Decision struct {
	Allowed bool
	// By is all that allowed it: every matching pattern of every policy whose
	// word counted. Empty where only Unrestricted did.
	By []Grant
	// Reason is why it was not allowed, as AWS words it at the end of an
	// error: "because no identity-based policy allows the s3:PutObject
	// action", or "with an explicit deny in a resource-based policy".
	Reason string
}

// Evaluate decides whether r is allowed. resource is the policy of what r
// asks for, nil if it has none.
func Evaluate(r Request, resource *Policy, kind Kind) Decision {
	q := newQuestion(r)
	var identity, narrowed, attached answer
	for _, p := range r.Principal.Identity {
		q.ask(p, &identity)
	}
	if r.Principal.Session != nil {
		q.ask(*r.Principal.Session, &narrowed)
	}
	if resource != nil {
		q.ask(*resource, &attached)
	}
	for _, side := range []struct {
		denies bool
		name   string
	}{{identity.denies, "an identity-based"}, {attached.denies, "a resource-based"}, {narrowed.denies, "a session"}} {
		if side.denies {
			return Decision{Reason: "with an explicit deny in " + side.name + " policy"}
		}
	}
	return join(r, kind, &identity, &narrowed, &attached)
}

// join decides where nothing denies.
func join(r Request, kind Kind, identity, narrowed, attached *answer) Decision {
	who := r.Principal
	// A session policy takes from everything but what is given to the session by its own ARN.
	within := who.Session == nil || len(narrowed.grants[itself]) > 0
	// The principal's own policies count where the resource does not insist on its own, or hands on to them.
	delegated := who.Service == "" &&
		(kind == AnyResource || len(attached.grants[account]) > 0 || kind == KMSKey && who.Unrestricted)
	named := len(attached.grants[itself]) > 0
	own := delegated && (who.Unrestricted || len(identity.grants[itself]) > 0)

	by := attached.grants[session]
	if within {
		by = append(by, attached.grants[itself]...)
		if own {
			by = append(by, identity.grants[itself]...)
		}
		if own && kind != AnyResource {
			by = append(by, attached.grants[account]...)
		}
	}
	switch {
	case len(by) > 0 || within && own:
		return Decision{Allowed: true, By: by}
	case named || own:
		return Decision{Reason: "because no session policy allows the " + r.Action + " action"}
	case !delegated:
		return Decision{Reason: "because no resource-based policy allows the " + r.Action + " action"}
	}
	return Decision{Reason: "because no identity-based policy allows the " + r.Action + " action"}
}

// question is a request in the form that statements are asked with.
type question struct {
	who              Principal
	action, resource string
	context          map[string][]string // by key in lower case
}

func newQuestion(r Request) question {
	q := question{who: r.Principal, action: strings.ToLower(r.Action), resource: r.Resource, context: map[string][]string{}}
	for key, values := range r.Context {
		key = strings.ToLower(key)
		q.context[key] = append(q.context[key], values...)
	}
	for key, value := range map[string]string{
		"aws:principalarn":          r.Principal.ARN,
		"aws:principalaccount":      r.Principal.Account,
		"aws:principalservicename":  r.Principal.Service,
		"aws:principalisawsservice": strconv.FormatBool(r.Principal.Service != ""),
	} {
		delete(q.context, key)
		if value != "" {
			q.context[key] = []string{value}
		}
	}
	return q
}

// answer is what policies of one side say.
type answer struct {
	denies bool
	grants [session + 1][]Grant // by whom the statement speaks of; identity and session policies: itself
}

func (q *question) ask(p Policy, a *answer) {
	for i := range p.Document.statements {
		s := &p.Document.statements[i]
		reach := itself
		if s.principals != nil {
			reach = s.principals.reach(q.who)
		}
		if reach == nobody || !q.meets(s.conditions) {
			continue
		}
		actions := matching(s.actions, s.actionTexts, s.notAction, q.action)
		resources := []string{""}
		if s.resources != nil {
			resources = matching(s.resources, s.resourceTexts, s.notResource, q.resource)
		}
		for _, action := range actions {
			for _, resource := range resources {
				if s.deny {
					a.denies = true
					return
				}
				a.grants[reach] = append(a.grants[reach], Grant{p.Name, s.sid, action, resource})
			}
		}
	}
}

func (q *question) meets(conditions []condition) bool {
	for i := range conditions {
		if !conditions[i].holds(q.context[conditions[i].key]) {
			return false
		}
	}
	return true
}

// matching returns the texts of the patterns that fit; if negated, the one
// text of all when none does.
func matching(patterns []pattern, texts []string, negated bool, subject string) []string {
	var fit []string
	for i, p := range patterns {
		switch {
		case !p.matches(subject):
		case negated:
			return nil
		default:
			fit = append(fit, texts[i])
		}
	}
	if negated {
		return texts
	}
	return fit
}
