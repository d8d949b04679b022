package template

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const sample = `
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Seconds: {Type: Number, Default: 30, MinValue: 2, MaxValue: 300}
  Mode: {Type: String, Default: plain, AllowedValues: [plain, sealed]}
  Keys: {Type: CommaDelimitedList, Default: ''}
  Concurrency: {Type: Number, Default: 20}
Mappings:
  Wait: {'60': {Seconds: 360}, '900': {Seconds: 5400}}
Conditions:
  Sealed: !Equals [!Ref Mode, sealed]
  HasKeys: !Not [!Equals [!Join ['', !Ref Keys], '']]
  Both: !And [!Condition Sealed, {Condition: HasKeys}]
  Either: !Or [Condition: Sealed, Condition: HasKeys]
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Timeout: 10
    Layers: [!Ref Tools]
    Environment:
      Variables:
        BUCKET: !Sub '${AWS::StackName}-in-${AWS::AccountId}'
        QUEUE: !Ref Work
        KEY: !GetAtt Master.Arn
        MODE: !If [Sealed, yes, !Ref AWS::NoValue]
        BOTH: !If [Both, both, !If [Either, either, none]]
        LITERAL: !Sub '${!kept} ${Mode}'
Resources:
  In:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub '${AWS::StackName}-in-${AWS::AccountId}'
      VersioningConfiguration: {Status: Enabled}
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - BlockedEncryptionTypes: {EncryptionType: [NONE]}
            ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}
      LifecycleConfiguration: {Rules: []}
  State:
    Type: AWS::S3::Bucket
    Properties:
      NotificationConfiguration:
        LambdaConfigurations:
          - Event: s3:ObjectCreated:*
            Function: !GetAtt Second.Arn
            Filter: {S3Key: {Rules: [{Name: prefix, Value: ready/}, {Name: suffix, Value: .json}]}}
  StatePermission:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref Second, Principal: s3.amazonaws.com}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: !FindInMap [Wait, '900', Seconds]
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5}
  Dead:
    Type: AWS::SQS::Queue
    Properties: {QueueName: dead-letters, MessageRetentionPeriod: 1209600}
  Master:
    Type: AWS::KMS::Key
    Properties: {Description: !Sub 'key of ${AWS::StackName}', KeyPolicy: {Version: '2012-10-17', Count: 3}}
  MasterAlias:
    Type: AWS::KMS::Alias
    Properties: {AliasName: !Sub 'alias/${AWS::StackName}', TargetKeyId: !Ref Master}
  Tools:
    Type: AWS::Serverless::LayerVersion
    Properties: {LayerName: tools, ContentUri: layers/tools}
  First:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/first/
      Timeout: 60
      Role: !GetAtt FirstRole.Arn
      Environment: {Variables: {OWN: !Select [1, !Split ['/', 'a/b/c']], MODE: mine}}
      Events:
        Drop:
          Type: S3
          Properties: {Bucket: !Ref In, Events: 's3:ObjectCreated:*'}
        Tick:
          Type: Schedule
          Properties: {Schedule: rate(5 minutes)}
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
  Second:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/second/
      Timeout: 900
      MemorySize: 1024
      Layers: [arn:aws:lambda:us-east-1:1:layer:other:1]
      Events:
        Chunk:
          Type: SQS
          Properties:
            Queue: !GetAtt Work.Arn
            BatchSize: 1
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: {MaximumConcurrency: !Ref Concurrency}
  FirstRole:
    Type: AWS::IAM::Role
    Properties: {AssumeRolePolicyDocument: {}}
  Extra:
    Type: AWS::SQS::Queue
    Condition: Sealed
Outputs:
  Queue: {Value: !Ref Work}
  Extra: {Condition: Sealed, Value: !Ref Extra}
`

func read(t *testing.T, doc string, o Options) *Template {
	t.Helper()
	tmpl, err := Read([]byte(doc), o)
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

func TestReadFunctions(t *testing.T) {
	tmpl := read(t, sample, Options{})
	first, second := tmpl.Function("First"), tmpl.Function("sealreel-Second")
	if first == nil || second == nil {
		t.Fatalf("functions are %+v", tmpl.Functions)
	}
	want := map[string]string{
		"BUCKET": "sealreel-in-111122223333", "QUEUE": "https://sqs.us-east-1.amazonaws.com/111122223333/sealreel-Work",
		"KEY": "arn:aws:kms:us-east-1:111122223333:key/Master", "BOTH": "none", "LITERAL": "${kept} plain", "OWN": "b", "MODE": "mine",
	}
	checkMap(t, first.Environment, want)
	delete(want, "OWN")
	delete(want, "MODE")
	checkMap(t, second.Environment, want)
	if first.Timeout != time.Minute || first.MemoryMB != 128 || first.CodeURI != "functions/first/" {
		t.Errorf("first is %+v", first)
	}
	if len(first.Schedules) != 1 || first.Schedules[0].Rate != 5*time.Minute {
		t.Errorf("schedules are %+v", first.Schedules)
	}
	if i := first.Invoke; i.MaxRetries != 1 || i.OnFailure != "arn:aws:sqs:us-east-1:111122223333:dead-letters" || i.MaxAge != 6*time.Hour {
		t.Errorf("invoke config is %+v", i)
	}
	if got := strings.Join(second.Layers, " "); got != "arn:aws:lambda:us-east-1:111122223333:layer:tools:1 arn:aws:lambda:us-east-1:1:layer:other:1" {
		t.Errorf("layers are %s", got)
	}
	q := second.Queues[0]
	if q.BatchSize != 1 || q.MaxConcurrency != 20 || !q.ReportsBatchFailures || q.QueueARN != "arn:aws:sqs:us-east-1:111122223333:sealreel-Work" {
		t.Errorf("mapping is %+v", q)
	}
}

func TestReadStorage(t *testing.T) {
	tmpl := read(t, sample, Options{KeyID: func(id string) (string, error) { return "id-of-" + id, nil }})
	in, state := tmpl.Bucket("In"), tmpl.Bucket("State")
	if !in.Versioning || in.BlocksSSEC || in.Name != "sealreel-in-111122223333" || len(in.Notifications) != 1 {
		t.Errorf("bucket In is %+v", in)
	}
	if state.Versioning || !state.BlocksSSEC || state.Name != "sealreel-state-111122223333" {
		t.Errorf("bucket State is %+v", state)
	}
	if n := state.Notifications[0]; n.Prefix != "ready/" || n.Suffix != ".json" || n.FunctionARN != tmpl.Function("Second").ARN {
		t.Errorf("notification is %+v", n)
	}
	checkMap(t, tmpl.Queue("Work").Attributes(), map[string]string{
		"VisibilityTimeout": "5400", "MessageRetentionPeriod": "345600", "DelaySeconds": "0",
		"ReceiveMessageWaitTimeSeconds": "0", "MaximumMessageSize": "1048576",
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111122223333:dead-letters","maxReceiveCount":5}`,
	})
	if k := tmpl.Keys[0]; k.KeyID != "id-of-Master" || k.ARN != "arn:aws:kms:us-east-1:111122223333:key/id-of-Master" || k.Description != "key of sealreel" {
		t.Errorf("key is %+v", k)
	}
	if a := tmpl.Aliases[0]; a.Name != "alias/sealreel" || a.Target != "id-of-Master" {
		t.Errorf("alias is %+v", a)
	}
}

func TestParametersAndConditions(t *testing.T) {
	tmpl := read(t, sample, Options{StackName: "mine", Account: "000000000001", Parameters: map[string]string{"Mode": "sealed", "Keys": "a, b"}})
	f := tmpl.Function("Second")
	if f.Environment["MODE"] != "yes" || f.Environment["BOTH"] != "both" || f.Environment["LITERAL"] != "${kept} sealed" {
		t.Errorf("environment is %v", f.Environment)
	}
	if tmpl.Queue("Extra") == nil || tmpl.Outputs["Extra"] == "" || tmpl.Parameters["Keys"] != "a,b" {
		t.Errorf("outputs %v, parameters %v", tmpl.Outputs, tmpl.Parameters)
	}
	if plain := read(t, sample, Options{}); plain.Queue("Extra") != nil || len(plain.Outputs) != 1 {
		t.Errorf("a resource whose condition doesn't hold is there")
	}
}

// TestFaults changes one thing in the sample and expects an error that
// names the place and the remedy.
func TestFaults(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown reference", "QUEUE: !Ref Work", "QUEUE: !Ref Wrok", `Globals.Function.Environment.Variables.QUEUE: there is no parameter or resource "Wrok"`},
		{"unknown attribute", "!GetAtt Master.Arn", "!GetAtt Master.Arm", "attributes Arn and KeyId, not Arm"},
		{"unknown function", "!Ref Work\n        KEY", "!Cidr [a]\n        KEY", "doesn't evaluate Fn::Cidr"},
		{"unknown type", "Type: AWS::SQS::Queue\n    Condition", "Type: AWS::DynamoDB::Table\n    Condition", ""},
		{"unknown property", "MemorySize: 1024", "MemroySize: 1024", "Resources.Second.Properties.MemroySize: the embedded AWS doesn't know this property"},
		{"not a number", "MemorySize: 1024", "MemorySize: lots", "Properties.MemorySize: must be a whole number from 128 to 10240"},
		{"timeout above visibility", "'900', Seconds", "'60', Seconds", "longer than the visibility timeout"},
		{"no permission", "Principal: s3.amazonaws.com", "Principal: sns.amazonaws.com", "no AWS::Lambda::Permission lets s3.amazonaws.com invoke Second"},
		{"wrong rate", "rate(5 minutes)", "rate(5 minute)", "with an s unless the value is 1"},
		{"cron", "rate(5 minutes)", "cron(0 1 1 1 1 2030)", "has schedules like rate(5 minutes)"},
		{"concurrency of one", "Concurrency: {Type: Number, Default: 20}", "Concurrency: {Type: Number, Default: 1}", "from 2 to 1000"},
		{"big batch", "BatchSize: 1", "BatchSize: 100", "needs MaximumBatchingWindowInSeconds"},
		{"encryption types", "EncryptionType: [NONE]", "EncryptionType: [SSEC]", "must be NONE or SSE-C"},
		{"fifo", "QueueName: dead-letters", "QueueName: dead.fifo, FifoQueue: true", "Dead.Properties.FifoQueue: the embedded AWS doesn't know"},
		{"event of a type not there", "Type: Schedule", "Type: Api", `event types S3, SQS and Schedule, not "Api"`},
		{"foreign bucket", "Bucket: !Ref In", "Bucket: elsewhere", `no bucket "elsewhere"`},
		{"member twice", "Timeout: 60\n", "Timeout: 60\n      Timeout: 70\n", "stands here twice"},
		{"circle", "BucketName: !Sub '${AWS::StackName}-in-${AWS::AccountId}'", "BucketName: !Sub '${In}-x'", "In depends on itself"},
		{"open substitution", "'${!kept} ${Mode}'", "'${!kept} ${Mode'", "${ without its }"},
		{"index", "!Select [1,", "!Select [3,", "no element 3 in a list of 3"},
		{"map entry", "[Wait, '900',", "[Wait, '901',", "Mappings has no Wait.901.Seconds"},
		{"condition function as a value", "MODE: mine", "MODE: !Equals [a, a]", "gives no value here"},
		{"unknown condition", "!If [Sealed,", "!If [Saeled,", `there is no condition "Saeled"`},
		{"transform", "Transform: AWS::Serverless-2016-10-31", "Transform: AWS::LanguageExtensions", "no transform but"},
		{"broken YAML", "Parameters:", "Parameters: [", "yaml:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := strings.Replace(sample, c.old, c.new, 1)
			if doc == sample {
				t.Fatalf("the sample has no %q", c.old)
			}
			options := Options{}
			if c.name == "unknown type" {
				options.Parameters = map[string]string{"Mode": "sealed"}
				c.want = "Resources.Extra: the embedded AWS has no resources of type AWS::DynamoDB::Table"
			}
			_, err := Read([]byte(doc), options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error is %v, want %q in it", err, c.want)
			}
			var place *Error
			if !errors.As(err, &place) || !strings.HasPrefix(err.Error(), "template.yaml") {
				t.Errorf("error has no place: %v", err)
			}
			if place.Line == 0 && c.name != "broken YAML" {
				t.Errorf("error has no line: %v", err)
			}
		})
	}
}

func TestParameterFaults(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"Seconds", "1", "value 1 is below 2"},
		{"Seconds", "301", "value 301 is above 300"},
		{"Seconds", "x", "is not a number"},
		{"Mode", "open", "is not one of plain, sealed"},
		{"Nope", "1", `has no parameter "Nope"`},
	} {
		_, err := Read([]byte(sample), Options{Parameters: map[string]string{c.name: c.value}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%s: error is %v, want %q", c.name, c.value, err, c.want)
		}
	}
}

// TestAllFaults checks that one reading reports every fault.
func TestAllFaults(t *testing.T) {
	doc := strings.NewReplacer("MemorySize: 1024", "MemorySize: 1", "rate(5 minutes)", "hourly").Replace(sample)
	_, err := Read([]byte(doc), Options{})
	if err == nil || !strings.Contains(err.Error(), "MemorySize") || !strings.Contains(err.Error(), "hourly") {
		t.Errorf("error is %v", err)
	}
}

// TestProjectTemplate holds the project's own template against what
// docs/architecture.md promises about it.
func TestProjectTemplate(t *testing.T) {
	tmpl, err := ReadFile("../../template.yaml", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"IngestFunction", "TranscodeFunction", "AssembleFunction", "ReconcileFunction"} {
		f := tmpl.Function(id)
		if f == nil {
			t.Fatalf("no %s", id)
		}
		for _, name := range []string{"SEALREEL_INGEST_BUCKET", "SEALREEL_OUTPUT_BUCKET", "SEALREEL_STATE_BUCKET", "SEALREEL_WORK_BUCKET",
			"SEALREEL_QUEUE_URL", "SEALREEL_KMS_KEY_ARN", "SEALREEL_PIPELINE_ID"} {
			if f.Environment[name] == "" {
				t.Errorf("%s has no %s", id, name)
			}
		}
		if got := f.Environment["SEALREEL_STATE_BUCKET"]; got != tmpl.Bucket("StateBucket").Name {
			t.Errorf("%s: SEALREEL_STATE_BUCKET is %s, the bucket is %s", id, got, tmpl.Bucket("StateBucket").Name)
		}
	}
	if n := tmpl.Bucket("StateBucket").Notifications; len(n) != 1 || n[0].Prefix != "ready/" {
		t.Errorf("notifications of the state bucket are %+v", n)
	}
	if !tmpl.Bucket("IngestBucket").Versioning || tmpl.Bucket("IngestBucket").BlocksSSEC {
		t.Error("the ingest bucket must be versioned and take SSE-C")
	}
	if q := tmpl.Queue("ChunkQueue"); q.MaxReceiveCount != 5 || q.DeadLetterARN != tmpl.Queue("ChunkDeadLetterQueue").ARN {
		t.Errorf("chunk queue is %+v", q)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("Resources: {A: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub '${A}'}}}"))
	f.Add([]byte("Resources: &a {A: *a}"))
	f.Add([]byte("Conditions: {A: !Or [Condition: A, Condition: A]}\nResources: {A: {Type: X, Condition: A}}"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		tmpl, err := Read(doc, Options{})
		if (tmpl == nil) == (err == nil) {
			t.Errorf("both or none of template and error: %v", err)
		}
	})
}

func checkMap(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is there with %q", name, got[name])
		}
	}
}
