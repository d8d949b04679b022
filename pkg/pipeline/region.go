package pipeline

import (
	"fmt"
	"strings"
)

// Warning says that a resource of a pipeline is in another region than it should
// be (API: Warning). The pipeline works nevertheless, but for what the Message
// says.
type Warning struct {
	Code    string `json:"Code"`
	Message string `json:"Message"`
}

func (w Warning) String() string { return w.Code + ": " + w.Message }

// Regions are where things are, such as "eu-west-1". What is in no known region
// is in nobody's way: it gets no warning.
type Regions struct {
	Pipeline string            // where the functions are
	Buckets  map[string]string // by the names of buckets
}

// ARNRegion is the region that an ARN names; "" when it names none, or is no ARN.
func ARNRegion(arn string) string {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) < 6 || fields[0] != "arn" {
		return ""
	}
	return fields[3]
}

// Apart says whether two regions are known and differ.
func Apart(a, b string) bool { return a != "" && b != "" && a != b }

// The texts are Elastic Transcoder's (developer guide, Create Pipeline,
// Warnings).
const (
	fartherText = "The %[1]s and the pipeline are in different regions, which increases processing time for jobs in the pipeline and can incur additional charges. " +
		"To decrease processing time and prevent cross-regional charges, use the same region for the %[2]s and the pipeline."
	keyText = "The AWS KMS key and %[1]s bucket specified for this pipeline are in different regions, which causes outputs using s3-aws-kms encryption mode to fail. " +
		"To use s3-aws-kms encryption mode, use the same region for the KMS key and the %[1]s bucket."
)

// Warnings are what CreatePipeline would have warned of (codes 6000 to 6008), in
// the order of their codes. An OutputBucket is the bucket of a ContentConfig.
func (p *Pipeline) Warnings(r Regions) []Warning {
	thumbnails := ""
	if p.ThumbnailConfig != nil {
		thumbnails = p.ThumbnailConfig.Bucket
	}
	var topics Notifications
	if p.Notifications != nil {
		topics = *p.Notifications
	}
	content, thumbs, key := r.Buckets[p.ContentBucket()], r.Buckets[thumbnails], ARNRegion(p.AwsKmsKeyArn)
	const topic = "SNS notification topic"
	var all []Warning
	for _, c := range []struct {
		code    string
		a, b    string
		message string
	}{
		{"6000", r.Buckets[p.InputBucket], r.Pipeline, farther("input bucket", "input bucket")},
		{"6001", content, r.Pipeline, farther("ContentConfig bucket", "ContentConfig bucket")},
		{"6002", thumbs, r.Pipeline, farther("ThumbnailConfig bucket", "ThumbnailConfig bucket")},
		{"6003", ARNRegion(topics.Progressing), r.Pipeline, farther(topic+" for progressing events", topic)},
		{"6004", ARNRegion(topics.Warning), r.Pipeline, farther(topic+" for warning events", topic)},
		{"6005", ARNRegion(topics.Completed), r.Pipeline, farther(topic+" for completion events", topic)},
		{"6006", ARNRegion(topics.Error), r.Pipeline, farther(topic+" for error events", topic)},
		{"6007", key, content, fmt.Sprintf(keyText, "ContentConfig")},
		{"6008", key, thumbs, fmt.Sprintf(keyText, "ThumbnailConfig")},
	} {
		if Apart(c.a, c.b) {
			all = append(all, Warning{c.code, c.message})
		}
	}
	return all
}

func farther(what, short string) string { return fmt.Sprintf(fartherText, what, short) }

// Buckets are the names of the pipeline's buckets, each once.
func (p *Pipeline) Buckets() []string {
	var all []string
	seen := map[string]bool{"": true}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	add(p.InputBucket)
	add(p.ContentBucket())
	if p.ThumbnailConfig != nil {
		add(p.ThumbnailConfig.Bucket)
	}
	return all
}
