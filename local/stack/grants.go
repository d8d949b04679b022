package stack

import (
	"slices"

	"sealreel/local/iam"
	"sealreel/local/template"
)

// Grant is one thing that a policy of the deployment allows a role: one
// action and one resource of one statement.
type Grant struct {
	Role string // ARN
	iam.Grant
}

// Grants returns all that the template's policies allow its roles by name:
// the roles' own policies and those of keys, buckets and queues. The policy
// of a grant is the name of the inline policy, the ARN of the key, or the
// logical id of a bucket's or queue's policy.
func (s *Stack) Grants() []Grant {
	var all []Grant
	for _, r := range s.template.Roles {
		role, _ := s.services.directory.Role(r.ARN)
		for _, p := range role.Policies {
			all = appendGrants(all, r.ARN, p.Grants())
		}
		for _, p := range s.resourcePolicies() {
			// Without an account it is nobody whom a statement for the whole account names.
			all = appendGrants(all, r.ARN, p.GrantsTo(iam.Principal{ARN: r.ARN}))
		}
	}
	return all
}

func appendGrants(all []Grant, role string, grants []iam.Grant) []Grant {
	for _, g := range grants {
		all = append(all, Grant{role, g})
	}
	return all
}

func (s *Stack) resourcePolicies() []iam.Policy {
	var all []iam.Policy
	for _, k := range s.template.Keys {
		if p, ok := s.services.keys.KeyPolicy(k.ARN); ok {
			all = append(all, p)
		}
	}
	read := func(p *template.Policy) {
		if p == nil {
			return
		}
		if document, err := iam.ParseResource(p.Document); err == nil { // it was read before
			all = append(all, iam.Policy{Name: p.Name, Document: document})
		}
	}
	for _, b := range s.template.Buckets {
		read(b.Policy)
	}
	for _, q := range s.template.Queues {
		read(q.Policy)
	}
	return all
}

// Unused returns the grants that allowed none of the requests, in their
// order.
func Unused(grants []Grant, requests []Request) []Grant {
	used := map[Grant]bool{}
	for _, r := range requests {
		for _, g := range r.By {
			used[Grant{r.RoleARN, g}] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(grants), func(g Grant) bool { return used[g] })
}
