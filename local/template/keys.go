package template

import "strings"

// Key is an AWS::KMS::Key: a symmetric key for encryption.
type Key struct {
	ID          string // logical id
	KeyID       string
	ARN         string
	Description string
	Policy      []byte // the key policy as JSON; nil for KMS's default
}

// Alias is an AWS::KMS::Alias. Target is a key id or ARN.
type Alias struct {
	ID     string
	Name   string // with its alias/ prefix
	Target string
}

// Layer is a layer version. It is not laid under /opt here; what it would
// bring must be found on the machine.
type Layer struct {
	ID         string
	ARN        string
	ContentURI string
}

func (r *resolver) readKey(d *reader, res *resource, v *Value) Key {
	d.only(v, "KeyPolicy", "Description", "Enabled", "EnableKeyRotation", "RotationPeriodInDays", "KeySpec", "KeyUsage",
		"MultiRegion", "PendingWindowInDays", "BypassPolicyLockoutSafetyCheck", "Tags")
	d.oneOf(v.Get("KeySpec"), "SYMMETRIC_DEFAULT")
	d.oneOf(v.Get("KeyUsage"), "ENCRYPT_DECRYPT")
	d.oneOf(v.Get("Enabled"), "true")
	k := Key{
		ID:          res.id,
		Description: d.text(v.Get("Description"), ""),
	}
	if policy := v.Get("KeyPolicy"); policy != nil {
		k.Policy = d.document(policy, v, "KeyPolicy")
	}
	id, err := r.options.KeyID(res.id)
	if err != nil {
		d.faults = append(d.faults, err)
		return k
	}
	k.KeyID, k.ARN = id, r.arn("kms", "key/"+id)
	return k
}

func readAlias(d *reader, id, name string, v *Value) Alias {
	d.only(v, "AliasName", "TargetKeyId")
	if !strings.HasPrefix(name, "alias/") || strings.HasPrefix(name, "alias/aws/") {
		d.fault(v, "AliasName must start with alias/ and not with alias/aws/")
	}
	a := Alias{ID: id, Name: name, Target: d.text(v.Get("TargetKeyId"), "")}
	if a.Target == "" {
		d.fault(v, "needs a TargetKeyId")
	}
	return a
}

func (r *resolver) readLayer(d *reader, res *resource, name string, v *Value) Layer {
	content := v.Get("ContentUri")
	if content == nil {
		content = v.Get("Content")
	}
	return Layer{ID: res.id, ARN: r.attributeOf(res.kind, name, "Ref"), ContentURI: d.text(content, "")}
}
