package iam

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// version is the only one of the policy language that is read.
const version = "2012-10-17"

// Document is a policy that was read. It does not change.
type Document struct{ statements []statement }

// Policy is a document and the name it is told apart by.
type Policy struct {
	Name     string // for people: the inline policy's, or what resource it is of
	Document *Document
}

// Grant is one action pattern and one resource pattern of one statement that
// allows, as the policy has them. Resource is empty in trust policies, which
// name none. For NotAction and NotResource the pattern is the whole list,
// with the element's name before it.
type Grant struct{ Policy, Sid, Action, Resource string }

// statement is one statement that was read.
type statement struct {
	sid           string
	deny          bool
	principals    *principals // nil in policies of identities
	notAction     bool
	actions       []pattern // in lower case
	notResource   bool
	resources     []pattern // empty in trust policies
	conditions    []condition
	actionTexts   []string // as in a Grant
	resourceTexts []string // as in a Grant
}

// form is what statements of a kind of policy must and must not have.
type form struct{ principal, resource bool }

// ParseIdentity reads a policy that is attached to a role or made for a
// session: its statements name resources and no principals.
func ParseIdentity(json []byte) (*Document, error) { return parse(json, form{resource: true}) }

// ParseResource reads a policy that is attached to a resource, such as a
// bucket or a key: its statements name principals and resources.
func ParseResource(json []byte) (*Document, error) {
	return parse(json, form{principal: true, resource: true})
}

// ParseTrust reads the policy that says who may assume a role: its statements
// name principals and no resources.
func ParseTrust(json []byte) (*Document, error) { return parse(json, form{principal: true}) }

// Grants returns all that the policy could allow, to whomever.
func (p Policy) Grants() []Grant { return p.grants(func(*statement) bool { return true }) }

// GrantsTo returns all that a resource's policy could allow to who, by name
// or by the account.
func (p Policy) GrantsTo(who Principal) []Grant {
	return p.grants(func(s *statement) bool { return s.principals != nil && s.principals.reach(who) != nobody })
}

func (p Policy) grants(of func(*statement) bool) []Grant {
	var all []Grant
	for i := range p.Document.statements {
		s := &p.Document.statements[i]
		if s.deny || !of(s) {
			continue
		}
		for _, action := range s.actionTexts {
			for _, resource := range s.resourceTexts {
				all = append(all, Grant{p.Name, s.sid, action, resource})
			}
		}
	}
	return all
}

func parse(json []byte, f form) (*Document, error) {
	v, err := decode(json)
	if err != nil {
		return nil, fmt.Errorf("iam: policy: %w", err)
	}
	members, ok := v.(object)
	if !ok {
		return nil, errors.New("iam: policy: not a JSON object")
	}
	d, given := &Document{}, ""
	for _, m := range members {
		switch m.name {
		case "Version":
			given, _ = m.value.(string)
		case "Id":
			if _, ok := m.value.(string); !ok {
				err = errors.New("Id is no string")
			}
		case "Statement":
			d.statements, err = parseStatements(m.value, f)
		default:
			err = fmt.Errorf("element %q is not supported", m.name)
		}
		if err != nil {
			return nil, fmt.Errorf("iam: policy: %w", err)
		}
	}
	switch {
	case given != version:
		return nil, fmt.Errorf("iam: policy: Version %q is not supported: write %s", given, version)
	case len(d.statements) == 0:
		return nil, errors.New("iam: policy: no Statement")
	}
	return d, nil
}

func parseStatements(v any, f form) ([]statement, error) {
	var all []statement
	for i, each := range list(v) {
		members, ok := each.(object)
		if !ok {
			return nil, fmt.Errorf("statement %d is no object", i+1)
		}
		s, err := parseStatement(members, f)
		if err != nil {
			return nil, fmt.Errorf("statement %d %s: %w", i+1, s.sid, err)
		}
		if s.sid != "" && slices.ContainsFunc(all, func(o statement) bool { return o.sid == s.sid }) {
			return nil, fmt.Errorf("two statements have the Sid %s", s.sid)
		}
		all = append(all, s)
	}
	return all, nil
}

func parseStatement(members object, f form) (s statement, err error) {
	effect, actions, resources := "", 0, 0
	for _, m := range members {
		switch m.name {
		case "Sid":
			err = s.setSid(m.value)
		case "Effect":
			effect, _ = m.value.(string)
		case "Principal":
			s.principals, err = parsePrincipals(m.value)
		case "Action", "NotAction":
			actions++
			err = s.setActions(m)
		case "Resource", "NotResource":
			resources++
			err = s.setResources(m)
		case "Condition":
			s.conditions, err = parseConditions(m.value)
		default:
			err = fmt.Errorf("element %q is not supported", m.name)
		}
		if err != nil {
			return s, err
		}
	}
	if effect != "Allow" && effect != "Deny" {
		return s, fmt.Errorf("Effect %q is neither Allow nor Deny", effect)
	}
	s.deny = effect == "Deny"
	if !f.resource && resources == 0 {
		s.resourceTexts = []string{""}
	}
	return s, f.check(s.principals != nil, actions, resources)
}

// check holds a statement against the form by which elements it has.
func (f form) check(principal bool, actions, resources int) error {
	switch {
	case actions != 1:
		return errors.New("one of Action and NotAction must be there")
	case f.principal != principal:
		return errors.New("Principal belongs in policies of resources and roles' trust, and nowhere else")
	case f.resource && resources != 1:
		return errors.New("one of Resource and NotResource must be there")
	case !f.resource && resources != 0:
		return errors.New("a trust policy names no Resource")
	}
	return nil
}

func (s *statement) setSid(v any) error {
	sid, ok := v.(string)
	if !ok {
		return fmt.Errorf("Sid %v is no string", v)
	}
	s.sid = sid
	return nil
}

// actionForm is a service and a name that may have wildcards.
var actionForm = regexp.MustCompile(`^(\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+)$`)

func (s *statement) setActions(m member) error {
	names, err := texts(m.value)
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	for _, name := range names {
		if !actionForm.MatchString(name) {
			return fmt.Errorf("%s %q is neither * nor of the form service:Name", m.name, name)
		}
		p, err := newPattern(strings.ToLower(name), false)
		if err != nil {
			return fmt.Errorf("%s %q: %w", m.name, name, err)
		}
		s.actions = append(s.actions, p)
	}
	s.notAction, s.actionTexts = grantTexts(m.name, names)
	return nil
}

func (s *statement) setResources(m member) error {
	names, err := texts(m.value)
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	for _, name := range names {
		p, err := newResource(name)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		s.resources = append(s.resources, p)
	}
	s.notResource, s.resourceTexts = grantTexts(m.name, names)
	return nil
}

// grantTexts is how a Grant shows the element called name.
func grantTexts(name string, patterns []string) (not bool, texts []string) {
	if strings.HasPrefix(name, "Not") {
		return true, []string{name + " " + strings.Join(patterns, ", ")}
	}
	return false, patterns
}
