package template

import (
	"regexp"
	"time"
)

// Function is an AWS::Serverless::Function with what drives it.
type Function struct {
	ID            string // logical id
	Name          string
	ARN           string
	Handler       string
	Runtime       string
	CodeURI       string // folder relative to the template
	Role          string // ARN
	Architectures []string
	Environment   map[string]string
	Timeout       time.Duration
	MemoryMB      int
	Concurrency   int // ReservedConcurrentExecutions, 0 when there is no limit
	Layers        []string
	LogGroup      string
	LogFormat     string // Text or JSON
	LogLevel      string // ApplicationLogLevel, with JSON
	Invoke        Invoke
	Queues        []QueueEvent
	Schedules     []Schedule

	notifications []bucketEvent
	place         *Value
}

// Invoke is a function's EventInvokeConfig: how asynchronous invocations are
// retried and where they go in the end. An ARN is empty without one.
type Invoke struct {
	MaxAge     time.Duration
	MaxRetries int
	OnFailure  string // ARN of a queue
	OnSuccess  string // ARN of a queue
}

var variableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)

func (r *resolver) readFunction(d *reader, res *resource, name string, v *Value) Function {
	d.only(v, "FunctionName", "Description", "Handler", "Runtime", "CodeUri", "Architectures", "MemorySize", "Timeout",
		"Environment", "Events", "EventInvokeConfig", "Layers", "Role", "Policies",
		"ReservedConcurrentExecutions", "EphemeralStorage", "LoggingConfig", "Tracing", "Tags", "PropagateTags",
		"PackageType", "RecursiveLoop", "KmsKeyArn", "RuntimeManagementConfig")
	d.oneOf(v.Get("PackageType"), "Zip")
	f := Function{
		ID: res.id, Name: name, place: v,
		ARN:           r.attributeOf(res.kind, name, "Arn"),
		Handler:       d.text(v.Get("Handler"), ""),
		Runtime:       d.text(v.Get("Runtime"), ""),
		CodeURI:       d.text(v.Get("CodeUri"), "."),
		Architectures: d.texts(v.Get("Architectures")),
		Environment:   d.textMap(v.Get("Environment", "Variables")),
		Timeout:       time.Duration(d.integer(v.Get("Timeout"), 3, 1, 900)) * time.Second,
		MemoryMB:      d.integer(v.Get("MemorySize"), 128, 128, 10240),
		Concurrency:   d.integer(v.Get("ReservedConcurrentExecutions"), 0, 0, 1000),
		Layers:        d.texts(v.Get("Layers")),
		LogGroup:      d.text(v.Get("LoggingConfig", "LogGroup"), "/aws/lambda/"+name),
		LogFormat:     d.oneOf(v.Get("LoggingConfig", "LogFormat"), "Text", "JSON"),
		LogLevel:      d.text(v.Get("LoggingConfig", "ApplicationLogLevel"), ""),
		Invoke:        readInvoke(d, v.Get("EventInvokeConfig")),
	}
	if f.Runtime != "provided.al2023" && f.Runtime != "provided.al2" {
		d.fault(v, "Runtime must be provided.al2023 or provided.al2 for the embedded AWS, not "+f.Runtime)
	}
	for _, name := range v.Get("Environment", "Variables").Keys() {
		if !variableName.MatchString(name) {
			d.fault(v.Get("Environment", "Variables", name), "is no name for an environment variable")
		}
	}
	r.readEvents(d, &f, v.Get("Events"))
	return f
}

func readInvoke(d *reader, v *Value) Invoke {
	d.only(v, "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "DestinationConfig")
	destination := func(name string) string {
		at := v.Get("DestinationConfig", name)
		if at == nil {
			return ""
		}
		d.oneOf(at.Get("Type"), "SQS")
		arn := d.text(at.Get("Destination"), "")
		if arn == "" {
			d.fault(at, "needs the ARN of a queue as Destination")
		}
		return arn
	}
	return Invoke{
		MaxAge:     time.Duration(d.integer(v.Get("MaximumEventAgeInSeconds"), 21600, 60, 21600)) * time.Second,
		MaxRetries: d.integer(v.Get("MaximumRetryAttempts"), 2, 0, 2),
		OnFailure:  destination("OnFailure"),
		OnSuccess:  destination("OnSuccess"),
	}
}
