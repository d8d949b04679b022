package kms

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sealreel/local/iam"
	"sealreel/local/internal/awsjson"
	"sealreel/local/internal/gate"
)

// use is what a request says of how it uses a key.
type use struct {
	keyID   string            // as the caller named it
	context map[string]string // encryption context
	service string            // that asks in the caller's name
}

// facts are the condition keys that KMS has for a use.
func (s *Server) facts(u use) map[string][]string {
	facts := map[string][]string{"kms:CallerAccount": {s.config.Account}}
	if len(u.context) > 0 {
		facts["kms:EncryptionContextKeys"] = slices.Sorted(maps.Keys(u.context))
		for name, value := range u.context {
			facts["kms:EncryptionContext:"+name] = []string{value}
		}
	}
	if u.service != "" {
		facts["kms:ViaService"] = []string{u.service}
	}
	if _, alias, ok := strings.Cut(":"+u.keyID, ":alias/"); ok {
		facts["kms:RequestAlias"] = []string{"alias/" + alias}
	}
	return facts
}

// admit notes a key on a call and asks the gate whether the caller has the
// permission for it. The caller holds the lock.
func (s *Server) admit(call *awsjson.Call, permission string, k *key, u use) error {
	call.Resource = s.keyARN(k.ID)
	return refused(call.Admit(s.config.Gate, gate.Attempt{
		Action: permission, Resource: call.Resource, Context: s.facts(u), Kind: iam.KMSKey, Policy: k.policy,
	}))
}

// admitAction asks the gate about an action that is about no key.
func (s *Server) admitAction(call *awsjson.Call, resource string) error {
	return refused(call.Admit(s.config.Gate, gate.Attempt{
		Action: "kms:" + call.Action, Resource: resource, Context: s.facts(use{}), Kind: iam.AnyResource,
	}))
}

func refused(err error) error {
	var refusal *gate.Refusal
	if errors.As(err, &refusal) {
		return kmsError("AccessDeniedException", "%s", refusal.Error())
	}
	return err
}

// Through is a service that uses keys in a caller's name, as S3 does for
// objects that are encrypted with them.
type Through struct {
	server  *Server
	service string
	managed string      // alias of the service's own key
	policy  *iam.Policy // of that key
}

// Through returns a Through for a service, such as s3. Beside the keys that
// there are it has the service's own, alias/aws/s3, that admits everyone of
// the account through the service.
func (s *Server) Through(service string) Through {
	name := service + "." + s.config.Region + ".amazonaws.com"
	policy := fmt.Sprintf(managedPolicy, s.config.Account, name)
	d, err := iam.ParseResource([]byte(policy))
	if err != nil {
		panic("kms: the policy of a managed key can't be read: " + err.Error())
	}
	managed := "alias/aws/" + service
	return Through{s, name, managed, &iam.Policy{Name: managed, Document: d}}
}

const managedPolicy = `{"Version":"2012-10-17","Statement":[{
  "Effect":"Allow","Principal":{"AWS":"*"},"Resource":"*",
  "Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],
  "Condition":{"StringEquals":{"kms:CallerAccount":"%s","kms:ViaService":"%s"}}}]}`

// Use asks for an action on a key in a caller's name and reports it. It
// returns the key's ARN; errors are of type *awsjson.Error.
func (t Through) Use(caller gate.Caller, action, keyID string, context map[string]string) (arn string, err error) {
	call := &awsjson.Call{Action: action, AccessKeyID: caller.AccessKeyID, SessionToken: caller.SessionToken, Secure: true, Context: context}
	if keyID == t.managed || keyID == t.server.arn(t.managed) {
		err = t.useManaged(call)
	} else {
		err = t.useKey(call, keyID)
	}
	status := 200
	if err != nil {
		status = awsjson.HTTPStatus(err)
	}
	t.server.report(call, t.service, status)
	return call.Resource, err
}

func (t Through) useKey(call *awsjson.Call, keyID string) error {
	s := t.server
	s.mu.RLock()
	defer s.mu.RUnlock()
	k, err := s.resolve(keyID)
	if err != nil {
		return err
	}
	if err := s.admit(call, "kms:"+call.Action, k, use{keyID: keyID, context: call.Context, service: t.service}); err != nil {
		return err
	}
	if k.Disabled {
		return disabled(call.Resource)
	}
	return nil
}

func (t Through) useManaged(call *awsjson.Call) error {
	call.Resource = t.server.arn(t.managed)
	return refused(call.Admit(t.server.config.Gate, gate.Attempt{
		Action: "kms:" + call.Action, Resource: call.Resource, Kind: iam.KMSKey, Policy: t.policy,
		Context: t.server.facts(use{context: call.Context, service: t.service}),
	}))
}
