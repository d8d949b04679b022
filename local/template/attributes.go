package template

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// nameProperty is the property that may name a resource of a type.
var nameProperty = map[string]string{
	"AWS::S3::Bucket":                 "BucketName",
	"AWS::SQS::Queue":                 "QueueName",
	"AWS::SNS::Topic":                 "TopicName",
	"AWS::KMS::Alias":                 "AliasName",
	"AWS::IAM::Role":                  "RoleName",
	"AWS::Serverless::Function":       "FunctionName",
	"AWS::Serverless::LayerVersion":   "LayerName",
	"AWS::Lambda::LayerVersion":       "LayerName",
	"AWS::Logs::LogGroup":             "LogGroupName",
	"AWS::CloudWatch::Alarm":          "AlarmName",
	"AWS::CloudWatch::CompositeAlarm": "AlarmName",
	"AWS::CloudWatch::Dashboard":      "DashboardName",
}

// attribute returns what Ref (attribute "Ref") or Fn::GetAtt gives for a
// resource.
func (r *resolver) attribute(id, name string, at *yaml.Node, path string) (string, error) {
	res := r.resources[id]
	if res == nil {
		if role, ok := r.implicitRole(id); ok {
			res = role
		} else {
			return "", r.fault(at, path, "there is no parameter or resource %q, or its condition doesn't hold", id)
		}
	}
	if res.kind == "AWS::KMS::Key" {
		return r.keyAttribute(res, name, at, path)
	}
	physical, err := r.physicalName(res, at, path)
	if err != nil {
		return "", err
	}
	if text := r.attributeOf(res.kind, physical, name); text != "" {
		return text, nil
	}
	return "", r.fault(at, path, "the embedded AWS has no attribute %s of %s (%s)", name, id, res.kind)
}

// implicitRole is the role that SAM makes for a function without one.
func (r *resolver) implicitRole(id string) (*resource, bool) {
	function, ok := strings.CutSuffix(id, "Role")
	if !ok {
		return nil, false
	}
	res := r.resources[function]
	if res == nil || res.kind != "AWS::Serverless::Function" || member(res.properties, "Role") != nil {
		return nil, false
	}
	return &resource{id: id, kind: "AWS::IAM::Role"}, true
}

func (r *resolver) keyAttribute(res *resource, name string, at *yaml.Node, path string) (string, error) {
	id, err := r.options.KeyID(res.id)
	if err != nil {
		return "", err
	}
	switch name {
	case "Ref", "KeyId":
		return id, nil
	case "Arn":
		return r.arn("kms", "key/"+id), nil
	}
	return "", r.fault(at, path, "a KMS key has the attributes Arn and KeyId, not %s", name)
}

// attributeOf returns an attribute of a resource by its physical name, or
// "" when it has none of that name.
func (r *resolver) attributeOf(kind, physical, name string) string {
	switch kind + " " + name {
	case "AWS::S3::Bucket Ref", "AWS::SQS::Queue QueueName", "AWS::SNS::Topic TopicName", "AWS::KMS::Alias Ref", "AWS::IAM::Role Ref",
		"AWS::Serverless::Function Ref", "AWS::Logs::LogGroup Ref", "AWS::CloudWatch::Alarm Ref", "AWS::CloudWatch::CompositeAlarm Ref":
		return physical
	case "AWS::S3::Bucket Arn":
		return "arn:aws:s3:::" + physical
	case "AWS::S3::Bucket DomainName":
		return physical + ".s3.amazonaws.com"
	case "AWS::S3::Bucket RegionalDomainName":
		return physical + ".s3." + r.options.Region + ".amazonaws.com"
	case "AWS::SQS::Queue Ref", "AWS::SQS::Queue QueueUrl":
		return r.options.QueueURL(physical)
	case "AWS::SQS::Queue Arn":
		return r.arn("sqs", physical)
	case "AWS::SNS::Topic Ref", "AWS::SNS::Topic TopicArn":
		return r.arn("sns", physical)
	case "AWS::IAM::Role Arn":
		return "arn:aws:iam::" + r.options.Account + ":role/" + physical
	case "AWS::IAM::Role RoleId":
		return "AROA" + strings.ToUpper(physical)
	case "AWS::Serverless::Function Arn":
		return r.arn("lambda", "function:"+physical)
	case "AWS::Serverless::LayerVersion Ref", "AWS::Lambda::LayerVersion Ref":
		return r.arn("lambda", "layer:"+physical+":1")
	case "AWS::Logs::LogGroup Arn":
		return r.arn("logs", "log-group:"+physical+":*")
	case "AWS::CloudWatch::Alarm Arn", "AWS::CloudWatch::CompositeAlarm Arn":
		return r.arn("cloudwatch", "alarm:"+physical)
	}
	return ""
}

func (r *resolver) arn(service, rest string) string {
	return "arn:aws:" + service + ":" + r.options.Region + ":" + r.options.Account + ":" + rest
}

// physicalName returns the name a resource has outside the template: the
// one it asks for, or one made of the stack's name and its logical id.
func (r *resolver) physicalName(res *resource, at *yaml.Node, path string) (string, error) {
	made := r.options.StackName + "-" + res.id
	if res.kind == "AWS::S3::Bucket" {
		made = strings.ToLower(made) + "-" + r.options.Account
	}
	property, ok := nameProperty[res.kind]
	if !ok {
		return made, nil
	}
	node := member(res.properties, property)
	if node == nil {
		return made, nil
	}
	done, err := r.enter(res.id, at, path)
	if err != nil {
		return "", err
	}
	defer done()
	v, err := r.resolve(node, "Resources."+res.id+".Properties."+property)
	if err != nil {
		return "", err
	}
	if v == nil {
		return made, nil
	}
	if v.Kind() != Scalar || v.Text() == "" {
		return "", r.fault(node, "Resources."+res.id+".Properties."+property, "must be a plain text")
	}
	return v.Text(), nil
}
