package lambda

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"
)

// ObjectEvent is something that happened to an object of a bucket.
type ObjectEvent struct {
	Name      string // such as ObjectCreated:Put
	Time      time.Time
	Bucket    string
	Key       string // as it is, not encoded
	Size      int64  // of the plaintext
	ETag      string // with or without quotes
	VersionID string // empty without versioning
	Sequencer string
	Caller    string // access key id
}

// Notification tells a function about objects of a bucket.
type Notification struct {
	ID       string // configuration id shown in events
	Bucket   string
	Function string // id, name or ARN
	Event    string // such as s3:ObjectCreated:*
	Prefix   string
	Suffix   string
}

// Subscribe adds a notification.
func (h *Host) Subscribe(n Notification) error {
	if _, err := h.function(n.Function); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rules = append(h.rules, n)
	return nil
}

// ObjectChanged passes an event to every function that has a notification
// for it. When it returns nil the events are on disk and will be delivered.
func (h *Host) ObjectChanged(e ObjectEvent) error {
	h.mu.Lock()
	rules := h.rules
	h.mu.Unlock()
	delays := []time.Duration{0}
	var errs []error
	for _, n := range rules {
		if !n.matches(e) {
			continue
		}
		if h.config.Deliveries != nil {
			delays = h.config.Deliveries(e)
		}
		for _, delay := range delays {
			_, err := h.invokeAfter(n.Function, n.payload(e, h.config.Region), delay)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (n Notification) matches(e ObjectEvent) bool {
	pattern, wild := strings.CutSuffix(n.Event, "*")
	name := "s3:" + e.Name
	return n.Bucket == e.Bucket && (name == pattern || wild && strings.HasPrefix(name, pattern)) &&
		strings.HasPrefix(e.Key, n.Prefix) && strings.HasSuffix(e.Key, n.Suffix)
}

// payload returns the notification in the form of S3's event version 2.1.
func (n Notification) payload(e ObjectEvent, region string) []byte {
	type object map[string]any
	o := object{"key": encodeKey(e.Key), "sequencer": e.Sequencer}
	if e.VersionID != "" {
		o["versionId"] = e.VersionID
	}
	if e.ETag != "" {
		o["eTag"] = strings.Trim(e.ETag, `"`)
	}
	if strings.HasPrefix(e.Name, "ObjectCreated:") {
		o["size"] = e.Size
	}
	requestID := newID()
	payload, err := json.Marshal(object{"Records": []object{{
		"eventVersion":      "2.1",
		"eventSource":       "aws:s3",
		"awsRegion":         region,
		"eventTime":         e.Time.UTC().Format("2006-01-02T15:04:05.000Z"),
		"eventName":         e.Name,
		"userIdentity":      object{"principalId": "AWS:" + e.Caller},
		"requestParameters": object{"sourceIPAddress": "127.0.0.1"},
		"responseElements":  object{"x-amz-request-id": requestID, "x-amz-id-2": requestID},
		"s3": object{
			"s3SchemaVersion": "1.0",
			"configurationId": n.ID,
			"bucket": object{
				"name":          e.Bucket,
				"ownerIdentity": object{"principalId": "EMBEDDED"},
				"arn":           "arn:aws:s3:::" + e.Bucket,
			},
			"object": o,
		},
	}}})
	if err != nil {
		panic("lambda: an S3 event that is no JSON: " + err.Error())
	}
	return payload
}

// encodeKey writes a key as S3's events do: as in a form, with a plus for a
// space, but with slashes as they are.
func encodeKey(key string) string {
	return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
}
