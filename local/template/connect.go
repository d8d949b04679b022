package template

import (
	"fmt"
	"strings"
)

// permission is an AWS::Lambda::Permission: principal may invoke function.
type permission struct {
	function  string // name or ARN
	principal string
	sourceARN string
	account   string
}

func readPermission(d *reader, v *Value) permission {
	return permission{
		function:  d.text(v.Get("FunctionName"), ""),
		principal: d.text(v.Get("Principal"), ""),
		sourceARN: d.text(v.Get("SourceArn"), ""),
		account:   d.text(v.Get("SourceAccount"), ""),
	}
}

// connect moves the functions' S3 events to their buckets and checks what
// AWS checks when it connects two resources.
func (t *Template) connect(d *reader, rest loose) {
	for _, a := range rest.attachments {
		t.attach(d, a)
	}
	for i := range t.Functions {
		f := &t.Functions[i]
		for _, e := range f.notifications {
			bucket := t.bucket(e.bucket)
			if bucket == nil {
				d.fault(e.place, fmt.Sprintf("the template has no bucket %q", e.bucket))
				continue
			}
			bucket.Notifications = append(bucket.Notifications, e.notifications...)
		}
		t.connectQueues(d, f)
		if t.Role(f.Role) == nil {
			d.fault(f.place, fmt.Sprintf("the template has no role %q for the function", f.Role))
		}
	}
	for i := range t.Buckets {
		t.checkNotifications(d, &t.Buckets[i], rest.permissions)
	}
	for _, q := range t.Queues {
		if q.DeadLetterARN != "" && t.Queue(q.DeadLetterARN) == nil {
			d.fault(q.place, "the template has no queue "+q.DeadLetterARN+" for the RedrivePolicy")
		}
	}
}

func (t *Template) connectQueues(d *reader, f *Function) {
	for _, e := range f.Queues {
		q := t.Queue(e.QueueARN)
		if q == nil {
			d.fault(e.place, fmt.Sprintf("the template has no queue %q", e.QueueARN))
		} else if f.Timeout > q.Visibility {
			d.fault(e.place, fmt.Sprintf("the function's timeout of %v is longer than the visibility timeout of its queue, %v; AWS refuses that and recommends six times the timeout", f.Timeout, q.Visibility))
		}
		if f.Concurrency > 0 && e.MaxConcurrency > f.Concurrency {
			d.fault(e.place, fmt.Sprintf("MaximumConcurrency %d is above the function's reserved concurrency %d", e.MaxConcurrency, f.Concurrency))
		}
	}
	for _, arn := range []string{f.Invoke.OnFailure, f.Invoke.OnSuccess} {
		if arn != "" && t.Queue(arn) == nil {
			d.fault(f.place, "the template has no queue "+arn+" for the EventInvokeConfig")
		}
	}
}

func (t *Template) checkNotifications(d *reader, b *Bucket, permissions []permission) {
	for i, n := range b.Notifications {
		f := t.Function(n.FunctionARN)
		if f == nil {
			d.fault(n.place, fmt.Sprintf("the template has no function %q", n.FunctionARN))
			continue
		}
		if !n.fromSAM && !permits(permissions, f, b) {
			d.fault(n.place, fmt.Sprintf("no AWS::Lambda::Permission lets s3.amazonaws.com invoke %s for this bucket; AWS would refuse the notification", f.ID))
		}
		for _, other := range b.Notifications[:i] {
			if overlaps(n, other) {
				d.fault(n.place, "two notifications of bucket "+b.ID+" overlap in event, prefix and suffix; AWS refuses that")
			}
		}
	}
}

func permits(permissions []permission, f *Function, b *Bucket) bool {
	for _, p := range permissions {
		if p.principal == "s3.amazonaws.com" && (p.function == f.Name || p.function == f.ARN) &&
			(p.sourceARN == "" || p.sourceARN == "arn:aws:s3:::"+b.Name) {
			return true
		}
	}
	return false
}

func overlaps(a, b Notification) bool {
	nested := func(x, y string, has func(s, part string) bool) bool { return has(x, y) || has(y, x) }
	return nested(strings.TrimSuffix(a.Event, "*"), strings.TrimSuffix(b.Event, "*"), strings.HasPrefix) &&
		nested(a.Prefix, b.Prefix, strings.HasPrefix) && nested(a.Suffix, b.Suffix, strings.HasSuffix)
}

func (t *Template) bucket(name string) *Bucket {
	for i := range t.Buckets {
		if t.Buckets[i].Name == name {
			return &t.Buckets[i]
		}
	}
	return nil
}

// Bucket returns the bucket of a logical id, or nil.
func (t *Template) Bucket(id string) *Bucket {
	for i := range t.Buckets {
		if t.Buckets[i].ID == id {
			return &t.Buckets[i]
		}
	}
	return nil
}

// Queue returns the queue of a logical id or ARN, or nil.
func (t *Template) Queue(idOrARN string) *Queue {
	for i := range t.Queues {
		if q := &t.Queues[i]; q.ID == idOrARN || q.ARN == idOrARN {
			return q
		}
	}
	return nil
}

// Function returns the function of a logical id, name or ARN, or nil.
func (t *Template) Function(name string) *Function {
	for i := range t.Functions {
		if f := &t.Functions[i]; f.ID == name || f.Name == name || f.ARN == name {
			return f
		}
	}
	return nil
}

// joined returns a scalar's text or a list's elements joined with commas.
func joined(v *Value) string {
	if v.Kind() != List {
		return v.Text()
	}
	parts := make([]string, len(v.list))
	for i, item := range v.list {
		parts[i] = item.Text()
	}
	return strings.Join(parts, ",")
}
