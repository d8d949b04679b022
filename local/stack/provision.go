package stack

import (
	"fmt"
	"path"

	"sealreel/local/iam"
	"sealreel/local/s3"
	"sealreel/local/template"
)

// provision makes the keys, queues, topics and buckets of a template, or brings
// existing ones to what it says, and returns the template with the ids that
// they have.
func (s *Stack) provision(draft *template.Template) (*template.Template, error) {
	keyIDs := map[string]string{}
	for _, key := range draft.Keys {
		alias, err := s.aliasOf(draft, key)
		if err != nil {
			return nil, err
		}
		arn, err := s.services.keys.EnsureKey(alias, key.Description)
		if err != nil {
			return nil, fmt.Errorf("stack: make key %s: %w", key.ID, err)
		}
		keyIDs[key.ID] = path.Base(arn)
	}
	final, err := s.readTemplate(keyIDs)
	if err != nil {
		return nil, err
	}
	if err := s.provisionQueues(final.Queues); err != nil {
		return nil, err
	}
	for _, topic := range final.Topics {
		if _, err := s.services.topics.CreateTopic(topic.Name); err != nil {
			return nil, fmt.Errorf("stack: make topic %s: %w", topic.ID, err)
		}
	}
	for _, b := range final.Buckets {
		options := s3.BucketOptions{Versioning: b.Versioning, AllowSSEC: !b.BlocksSSEC, ACLs: b.ACLs}
		if b.Encryption == "aws:kms" {
			options.KMSKeyID = b.KMSKeyID
		}
		if err := s.services.objects.CreateBucket(b.Name, options); err != nil {
			return nil, fmt.Errorf("stack: make bucket %s: %w", b.ID, err)
		}
	}
	return final, s.provisionPolicies(final)
}

// provisionPolicies gives keys and buckets their policies; queues have theirs
// as an attribute.
func (s *Stack) provisionPolicies(t *template.Template) error {
	for _, k := range t.Keys {
		if err := s.services.keys.SetKeyPolicy(k.ARN, string(k.Policy)); err != nil {
			return fmt.Errorf("stack: policy of key %s: %w", k.ID, err)
		}
	}
	for _, b := range t.Buckets {
		if b.Policy == nil {
			continue
		}
		document, err := iam.ParseResource(b.Policy.Document)
		if err != nil {
			return fmt.Errorf("stack: policy %s of bucket %s: %w", b.Policy.Name, b.ID, err)
		}
		s.services.objects.SetBucketPolicy(b.Name, &iam.Policy{Name: b.Policy.Name, Document: document})
	}
	return nil
}

// aliasOf returns the alias that a key is found by after a restart: the
// template's, or one made of its logical id.
func (s *Stack) aliasOf(draft *template.Template, key template.Key) (string, error) {
	alias := ""
	for _, a := range draft.Aliases {
		if a.Target != key.KeyID && a.Target != key.ARN {
			continue
		}
		if alias != "" {
			return "", fmt.Errorf("stack: key %s has the aliases %s and %s; the embedded KMS keeps one", key.ID, alias, a.Name)
		}
		alias = a.Name
	}
	if alias == "" {
		alias = "alias/" + s.config.StackName + "-" + key.ID
	}
	return alias, nil
}

// provisionQueues makes every queue before any refers to another.
func (s *Stack) provisionQueues(queues []template.Queue) error {
	for _, q := range queues {
		if err := s.services.queues.CreateQueue(q.Name, nil); err != nil {
			return fmt.Errorf("stack: make queue %s: %w", q.ID, err)
		}
	}
	for _, q := range queues {
		attributes := q.Attributes()
		for _, name := range []string{"RedrivePolicy", "Policy"} { // clears those of an earlier template
			attributes[name] += ""
		}
		if err := s.services.queues.SetAttributes(q.Name, attributes); err != nil {
			return fmt.Errorf("stack: set up queue %s: %w", q.ID, err)
		}
	}
	return nil
}
