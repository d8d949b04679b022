package template

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const guarded = `
Parameters: {Arns: {Type: CommaDelimitedList, Default: ''}}
Conditions: {HasArns: !Not [!Equals [!Join ['', !Ref Arns], '']]}
Resources:
  In: {Type: AWS::S3::Bucket, Properties: {BucketName: in-bucket}}
  InPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref In
      PolicyDocument: {Statement: [{Effect: Deny, Resource: [!GetAtt In.Arn, !Sub '${In.Arn}/*']}]}
  Work: {Type: AWS::SQS::Queue}
  WorkPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties: {Queues: [!Ref Work], PolicyDocument: {Statement: []}}
  Master:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: '2012-10-17'
        Statement:
          - {Sid: Use, Principal: {AWS: [!GetAtt Named.Arn, !GetAtt MadeRole.Arn]}, Condition: {Bool: {a: true}, NumericLessThan: {b: 1.2}}}
          - !If [HasArns, {Sid: People, Principal: {AWS: !Ref Arns}}, !Ref AWS::NoValue]
  Named:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: [{Principal: {Service: lambda.amazonaws.com}}]}
      Policies: [{PolicyName: inline, PolicyDocument: {Statement: [{Resource: !GetAtt Master.Arn}]}}]
  More:
    Type: AWS::IAM::Policy
    Condition: HasArns
    Properties: {PolicyName: more, Roles: [!Ref Named], PolicyDocument: {Statement: [{Resource: !Ref Arns}]}}
  First:
    Type: AWS::Serverless::Function
    Properties: {Runtime: provided.al2023, Role: !GetAtt Named.Arn}
  Made:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Policies: [{Statement: [{Effect: Allow, Action: 's3:GetObject', Resource: !Sub '${In.Arn}/*'}]}]
      Events: {Work: {Type: SQS, Properties: {Queue: !GetAtt Work.Arn}}}
      EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Work.Arn}}}
`

func sameJSON(t *testing.T, got []byte, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("document is %s, want %s", got, want)
	}
}

func TestReadPolicies(t *testing.T) {
	tmpl := read(t, guarded, Options{})
	named := tmpl.Role("Named")
	if named == nil || named.ARN != "arn:aws:iam::111122223333:role/sealreel-Named" || tmpl.Function("First").Role != named.ARN {
		t.Fatalf("roles are %+v", tmpl.Roles)
	}
	sameJSON(t, named.Trust, `{"Statement":[{"Principal":{"Service":"lambda.amazonaws.com"}}]}`)
	if len(named.Policies) != 1 || named.Policies[0].Name != "inline" {
		t.Fatalf("policies are %+v", named.Policies)
	}
	sameJSON(t, named.Policies[0].Document, `{"Statement":[{"Resource":"arn:aws:kms:us-east-1:111122223333:key/Master"}]}`)
	sameJSON(t, tmpl.Bucket("In").Policy.Document,
		`{"Statement":[{"Effect":"Deny","Resource":["arn:aws:s3:::in-bucket","arn:aws:s3:::in-bucket/*"]}]}`)
	if p := tmpl.Queue("Work").Policy; p == nil || p.Name != "WorkPolicy" {
		t.Errorf("the queue's policy is %+v", p)
	}
	sameJSON(t, tmpl.Keys[0].Policy, `{"Version":"2012-10-17","Statement":[{"Sid":"Use",
		"Principal":{"AWS":["arn:aws:iam::111122223333:role/sealreel-Named","arn:aws:iam::111122223333:role/sealreel-MadeRole"]},
		"Condition":{"Bool":{"a":true},"NumericLessThan":{"b":1.2}}}]}`)
}

func TestPoliciesUnderACondition(t *testing.T) {
	tmpl := read(t, guarded, Options{Parameters: map[string]string{"Arns": "arn:a, arn:b"}})
	policies := tmpl.Role("Named").Policies
	if len(policies) != 2 || policies[1].Name != "more" {
		t.Fatalf("policies are %+v", policies)
	}
	sameJSON(t, policies[1].Document, `{"Statement":[{"Resource":["arn:a","arn:b"]}]}`)
	if !strings.Contains(string(tmpl.Keys[0].Policy), `"People"`) {
		t.Errorf("the key's policy is %s", tmpl.Keys[0].Policy)
	}
}

func TestRoleOfSAM(t *testing.T) {
	tmpl := read(t, guarded, Options{})
	role := tmpl.Role("MadeRole")
	if role == nil || tmpl.Function("Made").Role != role.ARN {
		t.Fatalf("roles are %+v", tmpl.Roles)
	}
	want := map[string]string{
		"AWSLambdaBasicExecutionRole":    "logs:PutLogEvents",
		"AWSLambdaSQSQueueExecutionRole": "sqs:ReceiveMessage",
		"EventInvokeConfigsealreel-Work": "sqs:SendMessage",
		"MadeRolePolicy0":                "arn:aws:s3:::in-bucket/*",
	}
	for _, p := range role.Policies {
		if part := want[p.Name]; part == "" || !strings.Contains(string(p.Document), part) {
			t.Errorf("policy %s is %s", p.Name, p.Document)
		}
		delete(want, p.Name)
	}
	if len(want) > 0 {
		t.Errorf("there are no policies %v", want)
	}
}

func TestPolicyFaults(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"!GetAtt Named.Arn, !GetAtt MadeRole.Arn", "!GetAtt Nobody.Arn", `no parameter or resource "Nobody"`},
		{"Resource: !GetAtt Master.Arn", "Resource: !ImportValue Other", "doesn't evaluate Fn::ImportValue"},
		{"Bucket: !Ref In\n      PolicyDocument", "Bucket: other\n      PolicyDocument", `nothing called "other"`},
		{"Type: AWS::IAM::Policy\n    Condition: HasArns", "Type: AWS::IAM::ManagedPolicy", "no resources of type AWS::IAM::ManagedPolicy"},
		{"PolicyName: inline,", "", "needs a PolicyName"},
		{"AssumeRolePolicyDocument", "ManagedPolicyArns", "ManagedPolicyArns: the embedded AWS doesn't know this property"},
		{"Policies: [{Statement:", "Policies: [{S3ReadPolicy:", "no managed policies and no policy templates"},
		{"Policies: [{Statement: [{Effect: Allow, Action: 's3:GetObject', Resource: !Sub '${In.Arn}/*'}]}]", "Policies: AmazonS3FullAccess", "must be a list"},
		{"Role: !GetAtt Named.Arn}", "Role: 'arn:aws:iam::111122223333:role/other'}", `no role "arn:aws:iam::111122223333:role/other"`},
	} {
		doc := strings.Replace(guarded, c.old, c.new, 1)
		if doc == guarded {
			t.Fatalf("the template has no %q", c.old)
		}
		if _, err := Read([]byte(doc), Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error is %v, want %q in it", err, c.want)
		}
	}
}

// TestProjectPolicies holds the project's own template against the roles
// that its functions need.
func TestProjectPolicies(t *testing.T) {
	tmpl, err := ReadFile("../../template.yaml", Options{Parameters: map[string]string{"ExistingKeyArns": "arn:aws:kms:us-east-1:1:key/x"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tmpl.Functions {
		role := tmpl.Role(f.Role)
		if role == nil || len(role.Policies) != 2 || role.Policies[1].Name != "existing-keys" {
			t.Errorf("the role of %s is %+v", f.ID, role)
		}
	}
	for _, b := range tmpl.Buckets {
		if b.Policy == nil {
			t.Errorf("bucket %s has no policy", b.ID)
		}
	}
}

// TestProjectTopic: the topic is there when it is asked for, the default
// pipeline tells it of everything, and each function may do nothing but that.
func TestProjectTopic(t *testing.T) {
	for asked, count := range map[string]int{"no": 0, "yes": 1} {
		tmpl, err := ReadFile("../../template.yaml", Options{Parameters: map[string]string{"NotificationTopic": asked}})
		if err != nil {
			t.Fatal(err)
		}
		topics := slices.DeleteFunc(tmpl.Topics, func(topic Topic) bool { return topic.ID != "JobTopic" })
		if len(topics) != count {
			t.Fatalf("%s: %+v", asked, tmpl.Topics)
		}
		arn := ""
		if count > 0 {
			arn = topics[0].ARN
		}
		for _, f := range tmpl.Functions {
			var p struct{ Notifications map[string]string }
			if err := json.Unmarshal([]byte(f.Environment["SEALREEL_PIPELINE"]), &p); err != nil {
				t.Fatal(err)
			}
			for _, state := range []string{"Progressing", "Completed", "Warning", "Error"} {
				if got, ok := p.Notifications[state]; !ok || got != arn {
					t.Errorf("%s, %s: %s is told to %q, want %q", asked, f.ID, state, got, arn)
				}
			}
			policies := string(encode(tmpl.Role(f.Role)))
			if strings.Contains(policies, "job-topic") != (count > 0) {
				t.Errorf("%s: the role of %s is %s", asked, f.ID, policies)
			}
		}
	}
}
