package pipeline

import (
	"reflect"
	"slices"
	"testing"
)

const (
	here  = "eu-west-1"
	there = "us-west-2"
)

func topicIn(region string) string { return "arn:aws:sns:" + region + ":111122223333:topic" }
func keyIn(region string) string   { return "arn:aws:kms:" + region + ":111122223333:key/k" }

// far is Elastic Transcoder's text, spelled out.
func far(what, short string) string {
	return "The " + what + " and the pipeline are in different regions, which increases processing time for jobs in the pipeline and can incur additional charges. " +
		"To decrease processing time and prevent cross-regional charges, use the same region for the " + short + " and the pipeline."
}

func keyApart(config string) string {
	return "The AWS KMS key and " + config + " bucket specified for this pipeline are in different regions, which causes outputs using s3-aws-kms encryption mode to fail. " +
		"To use s3-aws-kms encryption mode, use the same region for the KMS key and the " + config + " bucket."
}

// near is a pipeline whose resources are all where its functions are.
func near() (*Pipeline, Regions) {
	p := &Pipeline{
		InputBucket: "in", AwsKmsKeyArn: keyIn(here),
		ContentConfig: &OutputConfig{Bucket: "media"}, ThumbnailConfig: &OutputConfig{Bucket: "thumbs"},
		Notifications: &Notifications{Progressing: topicIn(here), Completed: topicIn(here), Warning: topicIn(here), Error: topicIn(here)},
	}
	return p, Regions{Pipeline: here, Buckets: map[string]string{"in": here, "media": here, "thumbs": here}}
}

// TestWarnings pins each code with its text: one thing moves to another region.
func TestWarnings(t *testing.T) {
	const topic = "SNS notification topic"
	for _, c := range []struct {
		name string
		move func(*Pipeline, *Regions)
		want []Warning
	}{
		{"nothing", func(*Pipeline, *Regions) {}, nil},
		{"input", func(_ *Pipeline, r *Regions) { r.Buckets["in"] = there }, []Warning{{"6000", far("input bucket", "input bucket")}}},
		{"content", func(_ *Pipeline, r *Regions) { r.Buckets["media"] = there },
			[]Warning{{"6001", far("ContentConfig bucket", "ContentConfig bucket")}, {"6007", keyApart("ContentConfig")}}},
		{"output bucket", func(p *Pipeline, r *Regions) {
			p.OutputBucket, p.ContentConfig, p.ThumbnailConfig = "out", nil, nil
			r.Buckets["out"] = there
		}, []Warning{{"6001", far("ContentConfig bucket", "ContentConfig bucket")}, {"6007", keyApart("ContentConfig")}}},
		{"thumbnails", func(_ *Pipeline, r *Regions) { r.Buckets["thumbs"] = there },
			[]Warning{{"6002", far("ThumbnailConfig bucket", "ThumbnailConfig bucket")}, {"6008", keyApart("ThumbnailConfig")}}},
		{"progressing", func(p *Pipeline, _ *Regions) { p.Notifications.Progressing = topicIn(there) }, []Warning{{"6003", far(topic+" for progressing events", topic)}}},
		{"warning", func(p *Pipeline, _ *Regions) { p.Notifications.Warning = topicIn(there) }, []Warning{{"6004", far(topic+" for warning events", topic)}}},
		{"completed", func(p *Pipeline, _ *Regions) { p.Notifications.Completed = topicIn(there) }, []Warning{{"6005", far(topic+" for completion events", topic)}}},
		{"error", func(p *Pipeline, _ *Regions) { p.Notifications.Error = topicIn(there) }, []Warning{{"6006", far(topic+" for error events", topic)}}},
		{"key", func(p *Pipeline, _ *Regions) { p.AwsKmsKeyArn = keyIn(there) }, []Warning{{"6007", keyApart("ContentConfig")}, {"6008", keyApart("ThumbnailConfig")}}},
		{"key and buckets together", func(p *Pipeline, r *Regions) {
			p.AwsKmsKeyArn = keyIn(there)
			r.Buckets["media"], r.Buckets["thumbs"] = there, there
		}, []Warning{{"6001", far("ContentConfig bucket", "ContentConfig bucket")}, {"6002", far("ThumbnailConfig bucket", "ThumbnailConfig bucket")}}},
		{"no key", func(p *Pipeline, _ *Regions) { p.AwsKmsKeyArn = "" }, nil},
		{"no topics", func(p *Pipeline, _ *Regions) { p.Notifications = nil }, nil},
		{"a key without its ARN", func(p *Pipeline, _ *Regions) { p.AwsKmsKeyArn = "1234abcd-12ab-34cd-56ef-1234567890ab" }, nil},
		{"unknown buckets", func(_ *Pipeline, r *Regions) { clear(r.Buckets) }, nil},
		{"unknown region of the functions", func(p *Pipeline, r *Regions) { r.Pipeline, p.AwsKmsKeyArn = "", "" }, nil},
	} {
		p, r := near()
		c.move(p, &r)
		if got := p.Warnings(r); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", c.name, got, c.want)
		}
	}
	p, _ := near()
	p.AwsKmsKeyArn = keyIn("ap-south-1")
	p.Notifications = &Notifications{topicIn(there), topicIn(there), topicIn(there), topicIn(there)}
	var codes []string
	for _, w := range p.Warnings(Regions{Pipeline: here, Buckets: map[string]string{"in": there, "media": there, "thumbs": there}}) {
		codes = append(codes, w.Code)
	}
	if want := []string{"6000", "6001", "6002", "6003", "6004", "6005", "6006", "6007", "6008"}; !slices.Equal(codes, want) {
		t.Errorf("all apart: %v", codes)
	}
}

func TestARNRegion(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:kms:us-west-2:111122223333:key/mrk-1": "us-west-2",
		"arn:aws-us-gov:kms:us-gov-west-1:1:alias/a:b": "us-gov-west-1",
		"arn:aws:s3:::bucket":                          "",
		"arn:aws:kms:us-west-2":                        "",
		"alias/media":                                  "",
		"x:aws:kms:us-west-2:1:key/k":                  "",
		"":                                             "",
	} {
		if got := ARNRegion(arn); got != want {
			t.Errorf("%q: %q", arn, got)
		}
	}
}

func TestBuckets(t *testing.T) {
	p, _ := near()
	if got := p.Buckets(); !slices.Equal(got, []string{"in", "media", "thumbs"}) {
		t.Error(got)
	}
	p = &Pipeline{InputBucket: "one", OutputBucket: "one"}
	if got := p.Buckets(); !slices.Equal(got, []string{"one"}) {
		t.Error(got)
	}
}
