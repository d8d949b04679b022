package template

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Role is an AWS::IAM::Role, or the one that SAM makes for a function
// without Role. Documents are JSON with every intrinsic function resolved.
type Role struct {
	ID       string // logical id
	Name     string
	ARN      string
	Trust    []byte // AssumeRolePolicyDocument
	Policies []Policy
}

// Policy is a named policy document.
type Policy struct {
	Name     string
	Document []byte
}

// attachment is a policy that a resource of its own lays on others: roles,
// buckets or queues.
type attachment struct {
	kind    string   // CloudFormation type that holds it
	targets []string // name of a role or bucket, URL of a queue
	policy  Policy
	place   *Value
}

// document returns a policy document as JSON.
func (d *reader) document(v, within *Value, name string) []byte {
	if v.Kind() != Map {
		d.fault(within, "needs a "+name)
		return nil
	}
	return encode(v.Plain())
}

func encode(document any) []byte {
	text, err := json.Marshal(document)
	if err != nil {
		panic("template: a policy that is no JSON: " + err.Error())
	}
	return text
}

func (r *resolver) readRole(d *reader, id, name string, v *Value) Role {
	d.only(v, "RoleName", "Description", "AssumeRolePolicyDocument", "Policies", "MaxSessionDuration", "Tags")
	role := Role{ID: id, Name: name, ARN: r.attributeOf("AWS::IAM::Role", name, "Arn"),
		Trust: d.document(v.Get("AssumeRolePolicyDocument"), v, "AssumeRolePolicyDocument")}
	for _, p := range d.list(v.Get("Policies")) {
		d.only(p, "PolicyName", "PolicyDocument")
		role.Policies = append(role.Policies, readPolicy(d, p))
	}
	return role
}

func readPolicy(d *reader, v *Value) Policy {
	p := Policy{Name: d.text(v.Get("PolicyName"), ""), Document: d.document(v.Get("PolicyDocument"), v, "PolicyDocument")}
	if p.Name == "" {
		d.fault(v, "needs a PolicyName")
	}
	return p
}

// readAttachment reads AWS::IAM::Policy, AWS::S3::BucketPolicy or
// AWS::SQS::QueuePolicy.
func readAttachment(d *reader, kind, id string, v *Value) attachment {
	a := attachment{kind: kind, place: v}
	switch kind {
	case "AWS::IAM::Policy":
		d.only(v, "PolicyName", "PolicyDocument", "Roles")
		a.targets, a.policy = d.texts(v.Get("Roles")), readPolicy(d, v)
	case "AWS::S3::BucketPolicy":
		d.only(v, "Bucket", "PolicyDocument")
		a.targets = []string{d.text(v.Get("Bucket"), "")}
		a.policy = Policy{id, d.document(v.Get("PolicyDocument"), v, "PolicyDocument")}
	case "AWS::SQS::QueuePolicy":
		d.only(v, "Queues", "PolicyDocument")
		a.targets = d.texts(v.Get("Queues"))
		a.policy = Policy{id, d.document(v.Get("PolicyDocument"), v, "PolicyDocument")}
	}
	if len(a.targets) == 0 {
		d.fault(v, "is attached to nothing")
	}
	return a
}

// attach lays a policy on what it names.
func (t *Template) attach(d *reader, a attachment) {
	for _, target := range a.targets {
		if !t.attachTo(a, target) {
			d.fault(a.place, fmt.Sprintf("the template has nothing called %q that this policy could be attached to, or it has a policy already", target))
		}
	}
}

func (t *Template) attachTo(a attachment, target string) bool {
	switch a.kind {
	case "AWS::IAM::Policy":
		for i := range t.Roles {
			if t.Roles[i].Name == target {
				t.Roles[i].Policies = append(t.Roles[i].Policies, a.policy)
				return true
			}
		}
	case "AWS::S3::BucketPolicy":
		if b := t.bucket(target); b != nil && b.Policy == nil {
			b.Policy = &a.policy
			return true
		}
	case "AWS::SQS::QueuePolicy":
		for i := range t.Queues {
			if q := &t.Queues[i]; q.URL == target && q.Policy == nil {
				q.Policy = &a.policy
				return true
			}
		}
	}
	return false
}

// Role returns the role of a logical id, name or ARN, or nil.
func (t *Template) Role(name string) *Role {
	for i := range t.Roles {
		if r := &t.Roles[i]; r.ID == name || r.Name == name || r.ARN == name {
			return r
		}
	}
	return nil
}

// readFunctionRole returns the ARN of a function's role. For a function that
// names none it makes the role that SAM makes (SAM developer guide, generated
// resources): logs, its queues, its destinations and its Policies.
func (r *resolver) readFunctionRole(d *reader, t *Template, f *Function, v *Value) string {
	if role := v.Get("Role"); role != nil {
		return d.text(role, "")
	}
	name := r.options.StackName + "-" + f.ID + "Role"
	role := Role{ID: f.ID + "Role", Name: name, ARN: r.attributeOf("AWS::IAM::Role", name, "Arn"), Trust: encode(lambdaTrust)}
	add := func(name, resource string, actions ...string) {
		role.Policies = append(role.Policies, Policy{name, encode(allowing(resource, actions))})
	}
	add("AWSLambdaBasicExecutionRole", "*", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
	if len(f.Queues) > 0 {
		add("AWSLambdaSQSQueueExecutionRole", "*", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
	}
	for _, arn := range []string{f.Invoke.OnFailure, f.Invoke.OnSuccess} {
		if arn != "" {
			add("EventInvokeConfig"+arn[strings.LastIndex(arn, ":")+1:], arn, "sqs:SendMessage")
		}
	}
	for i, p := range d.list(v.Get("Policies")) {
		if p.Get("Statement") == nil {
			d.fault(p, "the embedded AWS takes a policy document here, with its Statement; it has no managed policies and no policy templates")
			continue
		}
		document := map[string]any{"Version": "2012-10-17", "Statement": p.Get("Statement").Plain()}
		role.Policies = append(role.Policies, Policy{fmt.Sprintf("%sRolePolicy%d", f.ID, i), encode(document)})
	}
	t.Roles = append(t.Roles, role)
	return role.ARN
}

var lambdaTrust = map[string]any{
	"Version": "2012-10-17",
	"Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole",
	}},
}

func allowing(resource string, actions []string) map[string]any {
	return map[string]any{
		"Version":   "2012-10-17",
		"Statement": []any{map[string]any{"Effect": "Allow", "Action": actions, "Resource": resource}},
	}
}
