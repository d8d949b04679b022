// Package template reads the SAM template of a project and says in plain
// values what has to exist: functions with what drives them, buckets,
// queues, keys. It evaluates CloudFormation's intrinsic functions, so what
// runs on a developer's machine is what the template says and nothing else.
//
// It guarantees that nothing of the template is lost in silence: a resource
// type, a property or an intrinsic function that the embedded AWS can't
// honour is an error with its place, unless leaving it out changes nothing
// about what the functions see and may do (log groups, lifecycles).
package template

import (
	"errors"
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"
)

// Options are what a deployment of the template is told from outside.
type Options struct {
	File       string            // name used in errors, default template.yaml
	StackName  string            // AWS::StackName, default sealreel
	Region     string            // AWS::Region, default us-east-1
	Account    string            // AWS::AccountId, default 111122223333
	Parameters map[string]string // overrides of the template's defaults

	// QueueURL returns the URL of a queue by its name. Without it a URL of
	// AWS's form is made.
	QueueURL func(name string) string
	// KeyID returns the id of a KMS key by its logical id. Without it the
	// logical id itself is used.
	KeyID func(logicalID string) (string, error)
}

// Template is what a template asks for, in its order.
type Template struct {
	Functions  []Function
	Buckets    []Bucket
	Queues     []Queue
	Topics     []Topic
	Keys       []Key
	Aliases    []Alias
	Layers     []Layer
	Roles      []Role
	Alarms     []Alarm
	Dashboards []Dashboard
	Parameters map[string]string // values in force; lists joined with commas
	Outputs    map[string]string
}

// ReadFile is Read of a file.
func ReadFile(path string, options Options) (*Template, error) {
	doc, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	if options.File == "" {
		options.File = path
	}
	return Read(doc, options)
}

// Read parses and evaluates a template. Its error joins every *Error found
// in the resources, or is the first one that keeps them from being read.
func Read(doc []byte, options Options) (*Template, error) {
	options.fill()
	r := &resolver{
		options:    options,
		sections:   map[string]*yaml.Node{},
		parameters: map[string]*Value{},
		resources:  map[string]*resource{},
		pending:    map[string]bool{},
		conditions: map[string]bool{},
	}
	if err := r.readSections(doc); err != nil {
		return nil, err
	}
	if err := r.readParameters(); err != nil {
		return nil, err
	}
	if err := r.readResources(); err != nil {
		return nil, err
	}
	return r.build()
}

func (o *Options) fill() {
	o.File = orDefault(o.File, "template.yaml")
	o.StackName = orDefault(o.StackName, "sealreel")
	o.Region = orDefault(o.Region, "us-east-1")
	o.Account = orDefault(o.Account, "111122223333")
	if o.QueueURL == nil {
		o.QueueURL = func(name string) string {
			return "https://sqs." + o.Region + ".amazonaws.com/" + o.Account + "/" + name
		}
	}
	if o.KeyID == nil {
		o.KeyID = func(logicalID string) (string, error) { return logicalID, nil }
	}
}

func orDefault(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (r *resolver) readSections(doc []byte) error {
	var root yaml.Node
	if err := yaml.Unmarshal(doc, &root); err != nil {
		return &Error{File: r.options.File, Message: err.Error()}
	}
	if len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return &Error{File: r.options.File, Message: "a template is a mapping with Resources"}
	}
	top := root.Content[0]
	for i := 0; i < len(top.Content); i += 2 {
		name, node := top.Content[i].Value, top.Content[i+1]
		switch name {
		case "AWSTemplateFormatVersion", "Description", "Metadata", "Rules":
		case "Transform":
			if node.Value != "AWS::Serverless-2016-10-31" {
				return r.fault(node, "Transform", "the embedded AWS has no transform but AWS::Serverless-2016-10-31")
			}
		case "Globals", "Parameters", "Mappings", "Conditions", "Resources", "Outputs":
			r.sections[name] = node
		default:
			return r.fault(top.Content[i], name, "a template has no such section")
		}
	}
	return nil
}

// build makes the typed views of every resource.
func (r *resolver) build() (*Template, error) {
	t := &Template{Parameters: map[string]string{}, Outputs: map[string]string{}}
	d := &reader{file: r.options.File}
	for name, v := range r.parameters {
		t.Parameters[name] = joined(v)
	}
	var rest loose
	for _, res := range r.ordered() {
		if harmless(res.kind) {
			continue
		}
		v, err := r.resourceProperties(res)
		if err != nil {
			d.faults = append(d.faults, err)
			continue
		}
		name, err := r.physicalName(res, res.node, v.path)
		if err != nil {
			d.faults = append(d.faults, err)
			continue
		}
		r.view(t, d, &rest, res, name, v)
	}
	if len(d.faults) == 0 {
		t.connect(d, rest)
	}
	if err := r.readOutputs(t); err != nil {
		d.faults = append(d.faults, err)
	}
	if len(d.faults) > 0 {
		return nil, errors.Join(d.faults...)
	}
	return t, nil
}

// loose is what says something about other resources.
type loose struct {
	permissions []permission
	attachments []attachment
}

// view adds one resource to the template or to what is loose.
func (r *resolver) view(t *Template, d *reader, rest *loose, res *resource, name string, v *Value) {
	switch res.kind {
	case "AWS::Serverless::Function":
		f := r.readFunction(d, res, name, v)
		f.Role = r.readFunctionRole(d, t, &f, v)
		t.Functions = append(t.Functions, f)
	case "AWS::S3::Bucket":
		t.Buckets = append(t.Buckets, readBucket(d, res.id, name, v))
	case "AWS::SQS::Queue":
		t.Queues = append(t.Queues, r.readQueue(d, res.id, name, v))
	case "AWS::SNS::Topic":
		t.Topics = append(t.Topics, r.readTopic(d, res.id, name, v))
	case "AWS::KMS::Key":
		t.Keys = append(t.Keys, r.readKey(d, res, v))
	case "AWS::KMS::Alias":
		t.Aliases = append(t.Aliases, readAlias(d, res.id, name, v))
	case "AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion":
		t.Layers = append(t.Layers, r.readLayer(d, res, name, v))
	case "AWS::IAM::Role":
		t.Roles = append(t.Roles, r.readRole(d, res.id, name, v))
	case "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm":
		t.Alarms = append(t.Alarms, r.readAlarm(d, res, name, v))
	case "AWS::CloudWatch::Dashboard":
		t.Dashboards = append(t.Dashboards, readDashboard(d, res.id, name, v))
	case "AWS::IAM::Policy", "AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy":
		rest.attachments = append(rest.attachments, readAttachment(d, res.kind, res.id, v))
	case "AWS::Lambda::Permission":
		rest.permissions = append(rest.permissions, readPermission(d, v))
	default:
		d.faults = append(d.faults, r.fault(res.node, "Resources."+res.id, "the embedded AWS has no resources of type %s", res.kind))
	}
}

// harmless says whether leaving a resource out changes nothing about what
// the functions and the callers see.
func harmless(kind string) bool {
	switch kind {
	case "AWS::Logs::LogGroup", "AWS::Lambda::LayerVersionPermission":
		return true
	}
	return false
}

// ordered returns the resources in the template's order.
func (r *resolver) ordered() []*resource {
	var list []*resource
	section := r.sections["Resources"]
	for i := 0; i < len(section.Content); i += 2 {
		if res := r.resources[section.Content[i].Value]; res != nil {
			list = append(list, res)
		}
	}
	return list
}

func (r *resolver) readOutputs(t *Template) error {
	section := r.sections["Outputs"]
	if section == nil {
		return nil
	}
	for i := 0; i < len(section.Content); i += 2 {
		name, node := section.Content[i].Value, section.Content[i+1]
		path := "Outputs." + name
		if c := member(node, "Condition"); c != nil {
			holds, err := r.condition(c.Value, c, path)
			if err != nil {
				return err
			}
			if !holds {
				continue
			}
		}
		value := member(node, "Value")
		if value == nil {
			return r.fault(node, path, "needs a Value")
		}
		v, err := r.resolve(value, path+".Value")
		if err != nil {
			return err
		}
		t.Outputs[name] = v.Text()
	}
	return nil
}
