package stack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"sealreel/local/iam"
	"sealreel/local/template"
)

// Role is a role beside those of the template, with the members that
// AWS::IAM::Role has.
type Role struct {
	RoleName                 string
	AssumeRolePolicyDocument json.RawMessage
	Policies                 []RolePolicy
}

// RolePolicy is an inline policy of a role.
type RolePolicy struct {
	PolicyName     string
	PolicyDocument json.RawMessage
}

// ReadRoles reads a file with a JSON list of roles.
func ReadRoles(path string) ([]Role, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("stack: read the roles: %w", err)
	}
	return parseRoles(path, text)
}

func parseRoles(path string, text []byte) ([]Role, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var roles []Role
	if err := d.Decode(&roles); err != nil {
		return nil, fmt.Errorf("stack: %s is no list of roles: %w", path, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("stack: %s has more than one list of roles", path)
	}
	return roles, nil
}

// roleName is what IAM takes as one.
var roleName = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)

// AddRole makes a role known, or changes it, and returns its ARN. It is not
// kept when the stack closes.
func (s *Stack) AddRole(r Role) (arn string, err error) {
	if !roleName.MatchString(r.RoleName) {
		return "", fmt.Errorf("stack: %q is no name for a role: 1 to 64 letters, digits and any of _+=,.@-", r.RoleName)
	}
	arn = "arn:aws:iam::" + Account + ":role/" + r.RoleName
	same := template.Role{ID: r.RoleName, Name: r.RoleName, ARN: arn, Trust: r.AssumeRolePolicyDocument}
	for _, p := range r.Policies {
		same.Policies = append(same.Policies, template.Policy{Name: p.PolicyName, Document: p.PolicyDocument})
	}
	return arn, s.addRole(same)
}

func (s *Stack) addRole(r template.Role) error {
	fault := func(what string, err error) error { return fmt.Errorf("stack: role %s: %s: %w", r.ID, what, err) }
	trust, err := iam.ParseTrust(r.Trust)
	if err != nil {
		return fault("AssumeRolePolicyDocument", err)
	}
	role := iam.Role{ARN: r.ARN, Trust: &iam.Policy{Name: r.Name, Document: trust}}
	for _, p := range r.Policies {
		document, err := iam.ParseIdentity(p.Document)
		if err != nil {
			return fault(p.Name, err)
		}
		role.Policies = append(role.Policies, iam.Policy{Name: p.Name, Document: document})
	}
	return s.services.directory.AddRole(role)
}

// addRoles makes the roles of the template and of the configuration known.
func (s *Stack) addRoles() error {
	for _, r := range s.template.Roles {
		if err := s.addRole(r); err != nil {
			return err
		}
	}
	for _, r := range s.config.Roles {
		if _, exists := s.services.directory.Role("arn:aws:iam::" + Account + ":role/" + r.RoleName); exists {
			return fmt.Errorf("stack: there is a role %s already", r.RoleName)
		}
		if _, err := s.AddRole(r); err != nil {
			return err
		}
	}
	return nil
}

// assume lets a function act in its role, as the Lambda service does when
// the role trusts it.
func (s *Stack) assume(f template.Function, accessKeyID string) error {
	role, _ := s.services.directory.Role(f.Role)
	request := iam.Request{
		Principal: iam.Principal{Service: lambdaService}, Action: "sts:AssumeRole", Resource: f.Role,
		Context: map[string][]string{"aws:SourceAccount": {Account}, "aws:SourceArn": {f.ARN}},
	}
	if d := iam.Evaluate(request, role.Trust, iam.RoleTrust); !d.Allowed {
		return fmt.Errorf("stack: deploy %s: the role defined for the function cannot be assumed by Lambda; let %s assume %s in its AssumeRolePolicyDocument, %s",
			f.ID, lambdaService, f.Role, d.Reason)
	}
	return s.services.directory.AddFunction(accessKeyID, f.Name, f.Role)
}

// lambdaService is the Lambda service as policies call it.
const lambdaService = "lambda.amazonaws.com"
