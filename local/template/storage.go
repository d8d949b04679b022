package template

import "strings"

// Bucket is an AWS::S3::Bucket. Name is the bucket's name, BlocksSSEC says
// whether writes with a customer key are refused: a new bucket refuses them
// unless BlockedEncryptionTypes is [NONE] (AWS, since April 2026).
type Bucket struct {
	ID            string
	Name          string
	Versioning    bool
	BlocksSSEC    bool
	ACLs          bool   // objects may have grants
	Encryption    string // SSEAlgorithm of the default encryption: AES256 or aws:kms
	KMSKeyID      string // with aws:kms
	Notifications []Notification
	Policy        *Policy // nil without one

	place *Value
}

// Notification tells a function about objects of a bucket.
type Notification struct {
	FunctionARN string
	Event       string // such as s3:ObjectCreated:*
	Prefix      string
	Suffix      string

	fromSAM bool // SAM grants the permission itself
	place   *Value
}

func readBucket(d *reader, id, name string, v *Value) Bucket {
	d.only(v, "BucketName", "VersioningConfiguration", "BucketEncryption", "NotificationConfiguration",
		"PublicAccessBlockConfiguration", "OwnershipControls", "LifecycleConfiguration", "LoggingConfiguration", "Tags")
	b := Bucket{ID: id, Name: name, BlocksSSEC: true, Encryption: "AES256", place: v}
	b.Versioning = d.oneOf(v.Get("VersioningConfiguration", "Status"), "Suspended", "Enabled") == "Enabled"
	for _, rule := range v.Get("OwnershipControls", "Rules").Items() {
		b.ACLs = d.oneOf(rule.Get("ObjectOwnership"), "BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter") != "BucketOwnerEnforced"
	}
	rules := v.Get("BucketEncryption", "ServerSideEncryptionConfiguration")
	if len(rules.Items()) > 1 {
		d.fault(rules, "a bucket has exactly one encryption rule")
	}
	for _, rule := range rules.Items() {
		d.only(rule, "BlockedEncryptionTypes", "ServerSideEncryptionByDefault", "BucketKeyEnabled")
		for _, blocked := range rule.Get("BlockedEncryptionTypes", "EncryptionType").Items() {
			b.BlocksSSEC = d.oneOf(blocked, "NONE", "SSE-C") == "SSE-C"
		}
		byDefault := rule.Get("ServerSideEncryptionByDefault")
		b.Encryption = d.oneOf(byDefault.Get("SSEAlgorithm"), "AES256", "aws:kms")
		b.KMSKeyID = d.text(byDefault.Get("KMSMasterKeyID"), "")
	}
	b.Notifications = readNotifications(d, v.Get("NotificationConfiguration"))
	return b
}

// readNotifications reads the bucket's own form of a notification.
func readNotifications(d *reader, v *Value) []Notification {
	d.only(v, "LambdaConfigurations")
	var list []Notification
	for _, c := range v.Get("LambdaConfigurations").Items() {
		d.only(c, "Event", "Function", "Filter")
		n := Notification{Event: d.text(c.Get("Event"), ""), FunctionARN: d.text(c.Get("Function"), ""), place: c}
		n.Prefix, n.Suffix = readKeyFilter(d, c.Get("Filter", "S3Key", "Rules"))
		d.checkEvent(c.Get("Event"), c, n.Event)
		list = append(list, n)
	}
	return list
}

func (d *reader) checkEvent(v, within *Value, event string) {
	if v == nil {
		d.fault(within, "needs an Event")
	} else if !strings.HasPrefix(event, "s3:ObjectCreated:") && !strings.HasPrefix(event, "s3:ObjectRemoved:") {
		d.fault(v, "the embedded S3 sends s3:ObjectCreated:* and s3:ObjectRemoved:*, not "+event)
	}
}

// readKeyFilter reads the rules of a filter over object keys.
func readKeyFilter(d *reader, rules *Value) (prefix, suffix string) {
	for _, rule := range rules.Items() {
		value := d.text(rule.Get("Value"), "")
		switch strings.ToLower(rule.Get("Name").Text()) {
		case "prefix":
			prefix = value
		case "suffix":
			suffix = value
		default:
			d.fault(rule, "the Name of a rule is prefix or suffix")
		}
	}
	return prefix, suffix
}
