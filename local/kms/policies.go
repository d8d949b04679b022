package kms

import (
	"context"
	"fmt"
	"path"

	"sealreel/local/iam"
	"sealreel/local/internal/awsjson"
)

// maxPolicy is the most bytes of a key's policy (API: PutKeyPolicy).
const maxPolicy = 32768

// defaultPolicy is what a key has that was made without one (KMS developer
// guide, default key policy): the account decides by its IAM policies.
const defaultPolicy = `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::%s:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`

// document returns a key's policy as JSON.
func (s *Server) document(k *key) string {
	if k.Policy == "" {
		return fmt.Sprintf(defaultPolicy, s.config.Account)
	}
	return k.Policy
}

// readPolicy makes a key ready to be asked for.
func (s *Server) readPolicy(k *key) error {
	d, err := iam.ParseResource([]byte(s.document(k)))
	if err == nil {
		k.policy = &iam.Policy{Name: s.keyARN(k.ID), Document: d}
	}
	return err
}

// setPolicy gives a key a policy, or the default if document is empty. The
// caller holds the lock, or the key is new.
func (s *Server) setPolicy(k *key, document string) error {
	if err := checkLength("policy", len(document), 0, maxPolicy); err != nil {
		return err
	}
	changed := *k
	changed.Policy = document
	if err := s.readPolicy(&changed); err != nil {
		return kmsError("MalformedPolicyDocumentException", "%v", err)
	}
	k.Policy, k.policy = changed.Policy, changed.policy
	return nil
}

// SetKeyPolicy gives the key of an ARN a policy (JSON), or the default one
// if it is empty.
func (s *Server) SetKeyPolicy(arn, document string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changePolicy(path.Base(arn), document)
}

// changePolicy is setPolicy for a key that is stored.
func (s *Server) changePolicy(id, document string) error {
	k := s.keys[id]
	if k == nil {
		return notFound("Key '%s' does not exist", s.keyARN(id))
	}
	if k.Policy == document {
		return nil
	}
	before, read := k.Policy, k.policy
	if err := s.setPolicy(k, document); err != nil {
		return err
	}
	if err := s.save(); err != nil {
		k.Policy, k.policy = before, read
		return err
	}
	return nil
}

// KeyPolicy returns the policy of the key of an ARN as it was read. Its name
// is the key's ARN.
func (s *Server) KeyPolicy(arn string) (iam.Policy, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k := s.keys[path.Base(arn)]
	if k == nil {
		return iam.Policy{}, false
	}
	return *k.policy, true
}

type keyPolicyInput struct {
	KeyId, PolicyName, Policy string
}

func (in keyPolicyInput) check() error {
	if in.PolicyName != "" && in.PolicyName != "default" {
		return notFound("No such policy exists")
	}
	return nil
}

type keyPolicyOutput struct{ Policy, PolicyName string }

func (s *Server) getKeyPolicy(_ context.Context, call *awsjson.Call, in keyPolicyInput) (any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k, err := s.resolve(in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := s.admit(call, "kms:GetKeyPolicy", k, use{keyID: in.KeyId}); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	return keyPolicyOutput{s.document(k), "default"}, nil
}

func (s *Server) putKeyPolicy(_ context.Context, call *awsjson.Call, in keyPolicyInput) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.resolve(in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := s.admit(call, "kms:PutKeyPolicy", k, use{keyID: in.KeyId}); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if in.Policy == "" {
		return nil, constraint("policy", "Member must have length greater than or equal to 1")
	}
	return nil, s.changePolicy(k.ID, in.Policy)
}
