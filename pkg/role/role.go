// Package role narrows a pipeline's IAM role to what one job needs.
//
// It guarantees that a session under the policy it makes reads nothing but the
// job's inputs, writes nothing but names that begin as the job's outputs do,
// publishes to nothing but the topics it is for, and uses KMS only in the
// pipeline's encryption context or through S3 and SNS for those. A session policy can only take away from what the role may do, so a
// name that no longer fits the policy is shortened, never left out.
package role

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// MaxPolicy is the longest session policy that STS takes, in characters (API:
// AssumeRole, Policy).
const MaxPolicy = 2048

// maxName is the longest name of an object in bytes (S3).
const maxName = 1024

// Role is a pipeline's role as one job uses it. It is part of the job's plan.
type Role struct {
	ARN string `json:"arn"`
	// ExternalID is the pipeline's id. A role may demand it (sts:ExternalId), so
	// that no other pipeline can be made to use the role.
	ExternalID string `json:"externalId"`
	// Session names the session, as CloudTrail shows it: 2 to 64 of \w+=,.@-.
	Session string  `json:"session"`
	Reads   []Place `json:"reads,omitempty"`  // whole names
	Writes  []Place `json:"writes,omitempty"` // what names begin with
	// Topics are the ARNs of those that the session publishes to.
	Topics []string `json:"topics,omitempty"`
	// Shares: what is written has grants to others (s3:PutObjectAcl).
	Shares bool `json:"shares,omitempty"`
}

// Place is a name, or the beginning of names, in a bucket.
type Place struct {
	Bucket string `json:"bucket"`
	Name   string `json:"name"`
}

// Keys are the KMS keys that the session may use.
type Keys struct {
	ARN     string            // "" for any that the role may use
	Context map[string]string // that every use must have
}

// Policy is the session policy, in ASCII and at most limit characters long. Where
// all names don't fit, names of a bucket are replaced by what they begin with in
// common, outputs first. The error says that nothing of that was enough.
func (r Role) Policy(keys Keys, limit int) (string, error) {
	text := r.policy(r.exact(r.Reads), r.beginnings(r.Writes), keys)
	if len(text) > limit {
		text = r.policy(r.exact(r.Reads), r.beginnings(shared(r.Writes)), keys)
	}
	for room := maxName; len(text) > limit && room > 0; room /= 2 {
		text = r.policy(r.beginnings(cut(shared(r.Reads), room)), r.beginnings(cut(shared(r.Writes), room)), keys)
	}
	if len(text) > limit {
		return "", fmt.Errorf("a session policy has room for %d characters, and buckets, KMS key and encryption context alone take %d: use a shorter encryption context", limit, len(text))
	}
	return text, nil
}

// policy writes the document. S3 asks KMS in the session's name, with the ARN of
// the object or, where the bucket has a key of its own, of the bucket as context;
// which object that can be, the statements about S3 say.
func (r Role) policy(reads, writes []string, keys Keys) string {
	buckets := r.buckets()
	var through []string
	for _, b := range buckets {
		through = append(through, b, b+"/*")
	}
	d := document{Version: "2012-10-17"}
	d.allow([]string{"s3:GetObject", "s3:GetObjectVersion"}, reads, nil)
	write := []string{"s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"}
	if r.Shares {
		write = append(write, "s3:PutObjectAcl")
	}
	d.allow(write, writes, nil)
	d.allow([]string{"s3:ListBucket"}, buckets, nil) // a missing object is then told from a forbidden one
	if len(buckets) > 0 {
		d.allow([]string{"kms:Decrypt", "kms:GenerateDataKey"}, []string{keyResource(keys.ARN)}, contextPairs(keys.Context))
		d.allow([]string{"kms:Decrypt", "kms:GenerateDataKey"}, []string{"*"}, condition{"StringLike": {
			"kms:ViaService": {"s3.*"}, "kms:EncryptionContext:aws:s3:arn": through}})
	}
	r.allowTopics(&d)
	return d.text()
}

// allowTopics: for a topic with a KMS key, SNS asks KMS in the session's name
// (SNS developer guide, key management).
func (r Role) allowTopics(d *document) {
	if len(r.Topics) == 0 {
		return
	}
	topics := make([]string, len(r.Topics))
	for i, arn := range r.Topics {
		topics[i] = literal(arn)
	}
	d.allow([]string{"sns:Publish"}, topics, nil)
	d.allow([]string{"kms:Decrypt", "kms:GenerateDataKey"}, []string{"*"}, condition{"StringLike": {
		"kms:ViaService": {"sns.*"}, "kms:EncryptionContext:aws:sns:topicArn": topics}})
}

// keyResource is how a policy names the key. An alias or a bare id is none of the
// resources that policies know; the role's own policy and the context bound it.
func keyResource(arn string) string {
	if strings.HasPrefix(arn, "arn:") && strings.Contains(arn, ":key/") {
		return arn
	}
	return "*"
}

func contextPairs(context map[string]string) condition {
	pairs := map[string][]string{}
	for name, value := range context {
		pairs["kms:EncryptionContext:"+name] = []string{strings.ReplaceAll(value, "$", "${$}")}
	}
	if len(pairs) == 0 {
		return nil
	}
	return condition{"StringEquals": pairs}
}

func (r Role) buckets() []string {
	names := map[string]bool{}
	for _, p := range slices.Concat(r.Reads, r.Writes) {
		names[r.bucketARN(p.Bucket)] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// bucketARN is in the role's partition, such as aws or aws-cn.
func (r Role) bucketARN(bucket string) string {
	partition, _, _ := strings.Cut(strings.TrimPrefix(r.ARN, "arn:"), ":")
	return "arn:" + partition + ":s3:::" + bucket
}

func (r Role) exact(places []Place) []string {
	var all []string
	for _, p := range places {
		all = append(all, r.bucketARN(p.Bucket)+"/"+literal(p.Name))
	}
	return all
}

func (r Role) beginnings(places []Place) []string {
	all := r.exact(places)
	for i := range all {
		all[i] += "*"
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// literal keeps what policies read as a wildcard or a variable from being one.
func literal(name string) string {
	return strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}").Replace(name)
}

// shared is, for each bucket, what all names in it begin with.
func shared(places []Place) []Place {
	common := map[string]string{}
	var all []Place
	for _, p := range places {
		before, seen := common[p.Bucket]
		if !seen {
			common[p.Bucket] = p.Name
			all = append(all, p)
			continue
		}
		n := 0
		for n < min(len(before), len(p.Name)) && before[n] == p.Name[n] {
			n++
		}
		common[p.Bucket] = before[:n]
	}
	for i := range all {
		all[i].Name = whole(common[all[i].Bucket])
	}
	return all
}

// cut shortens names to room bytes.
func cut(places []Place, room int) []Place {
	all := slices.Clone(places)
	for i := range all {
		all[i].Name = whole(all[i].Name[:min(room, len(all[i].Name))])
	}
	return all
}

// whole takes half a character off the end of a name.
func whole(name string) string { return strings.ToValidUTF8(name, "") }
