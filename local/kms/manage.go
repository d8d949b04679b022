package kms

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sealreel/local/internal/awsjson"
)

// metadata is a key as the API shows it (API: KeyMetadata).
type metadata struct {
	AWSAccountId          string
	KeyId                 string
	Arn                   string
	CreationDate          float64 // seconds since 1970
	Enabled               bool
	Description           string
	KeyUsage              string
	KeyState              string
	Origin                string
	KeyManager            string
	CustomerMasterKeySpec string
	KeySpec               string
	EncryptionAlgorithms  []string
	MultiRegion           bool
}

type metadataOutput struct{ KeyMetadata metadata }

func (s *Server) metadata(k *key) metadataOutput {
	state := "Enabled"
	if k.Disabled {
		state = "Disabled"
	}
	return metadataOutput{metadata{
		AWSAccountId: s.config.Account, KeyId: k.ID, Arn: s.keyARN(k.ID),
		CreationDate: float64(k.Created.UnixMilli()) / 1000,
		Enabled:      !k.Disabled, Description: k.Description, KeyUsage: "ENCRYPT_DECRYPT", KeyState: state,
		Origin: "AWS_KMS", KeyManager: "CUSTOMER", CustomerMasterKeySpec: symmetric, KeySpec: symmetric,
		EncryptionAlgorithms: []string{symmetric},
	}}
}

// symmetric is the one key spec and encryption algorithm here.
const symmetric = "SYMMETRIC_DEFAULT"

type createKeyInput struct {
	Description           string
	KeyUsage              string
	KeySpec               string
	CustomerMasterKeySpec string // former name of KeySpec
	Origin                string
	MultiRegion           bool
	Policy                string
}

func (s *Server) createKey(_ context.Context, call *awsjson.Call, in createKeyInput) (any, error) {
	if err := s.admitAction(call, "*"); err != nil {
		return nil, err
	}
	if err := checkLength("description", len(in.Description), 0, 8192); err != nil {
		return nil, err
	}
	for _, member := range []struct{ name, given, only string }{
		{"KeyUsage ", in.KeyUsage, "ENCRYPT_DECRYPT"}, {"KeySpec ", in.KeySpec, symmetric},
		{"CustomerMasterKeySpec ", in.CustomerMasterKeySpec, symmetric}, {"Origin ", in.Origin, "AWS_KMS"},
	} {
		if member.given != "" && member.given != member.only {
			return nil, unsupported(member.name + member.given)
		}
	}
	if in.MultiRegion {
		return nil, unsupported("MultiRegion")
	}
	k := s.newKey(in.Description)
	if err := s.setPolicy(k, in.Policy); err != nil {
		return nil, err
	}
	call.Resource = s.keyARN(k.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k.ID] = k
	if err := s.save(); err != nil {
		delete(s.keys, k.ID)
		return nil, err
	}
	return s.metadata(k), nil
}

type keyInput struct{ KeyId string }

func (s *Server) describeKey(_ context.Context, call *awsjson.Call, in keyInput) (any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k, err := s.resolve(in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := s.admit(call, "kms:DescribeKey", k, use{keyID: in.KeyId}); err != nil {
		return nil, err
	}
	return s.metadata(k), nil
}

func (s *Server) disableKey(_ context.Context, call *awsjson.Call, in keyInput) (any, error) {
	return nil, s.setDisabled(call, in.KeyId, true)
}

func (s *Server) enableKey(_ context.Context, call *awsjson.Call, in keyInput) (any, error) {
	return nil, s.setDisabled(call, in.KeyId, false)
}

func (s *Server) setDisabled(call *awsjson.Call, keyID string, disabled bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.resolve(keyID)
	if err != nil {
		return err
	}
	if err := s.admit(call, "kms:"+call.Action, k, use{keyID: keyID}); err != nil {
		return err
	}
	before := k.Disabled
	k.Disabled = disabled
	if err := s.save(); err != nil {
		k.Disabled = before
		return err
	}
	return nil
}

var aliasName = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]+$`)

func checkAliasName(name string) error {
	if err := checkLength("aliasName", len(name), 1, 256); err != nil {
		return err
	}
	if !strings.HasPrefix(name, "alias/") {
		return kmsError("ValidationException", "Invalid identifier")
	}
	if !aliasName.MatchString(name) {
		return constraint("aliasName", `Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$`)
	}
	if strings.HasPrefix(name, "alias/aws/") {
		return kmsError("NotAuthorizedException", "")
	}
	return nil
}

type createAliasInput struct{ AliasName, TargetKeyId string }

func (s *Server) createAlias(_ context.Context, call *awsjson.Call, in createAliasInput) (any, error) {
	if err := checkAliasName(in.AliasName); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.Contains(in.TargetKeyId, "alias/") {
		return nil, kmsError("ValidationException", "Aliases must refer to keys. Not aliases")
	}
	k, err := s.resolve(in.TargetKeyId)
	if err != nil {
		return nil, err
	}
	if err := s.admitAction(call, s.arn(in.AliasName)); err != nil {
		return nil, err
	}
	if err := s.admit(call, "kms:CreateAlias", k, use{keyID: in.TargetKeyId}); err != nil {
		return nil, err
	}
	if _, taken := s.aliases[in.AliasName]; taken {
		return nil, kmsError("AlreadyExistsException", "An alias with the name %s already exists", s.arn(in.AliasName))
	}
	s.aliases[in.AliasName] = k.ID
	if err := s.save(); err != nil {
		delete(s.aliases, in.AliasName)
		return nil, err
	}
	return nil, nil
}

type pageInput struct {
	KeyId  string // of ListAliases
	Marker string
	Limit  *int
}

// page returns the names after a marker, at most limit of them, and the
// marker to go on with if there are more.
func (in pageInput) page(names []string, most int) (page []string, next string, err error) {
	limit := min(100, most)
	if in.Limit != nil {
		if limit = *in.Limit; limit < 1 || limit > most {
			return nil, "", constraint("limit", "Member must be between 1 and the action's maximum")
		}
	}
	slices.Sort(names)
	names = slices.DeleteFunc(names, func(name string) bool { return name <= in.Marker })
	if len(names) > limit {
		return names[:limit], names[limit-1], nil
	}
	return names, "", nil
}

type aliasEntry struct{ AliasName, AliasArn, TargetKeyId string }

type listAliasesOutput struct {
	Aliases    []aliasEntry
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

func (s *Server) listAliases(_ context.Context, call *awsjson.Call, in pageInput) (any, error) {
	if err := s.admitAction(call, "*"); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := slices.Collect(maps.Keys(s.aliases))
	if in.KeyId != "" {
		k, err := s.resolve(in.KeyId)
		if err != nil {
			return nil, err
		}
		call.Resource = s.keyARN(k.ID)
		names = slices.DeleteFunc(names, func(name string) bool { return s.aliases[name] != k.ID })
	}
	page, next, err := in.page(names, 100)
	if err != nil {
		return nil, err
	}
	out := listAliasesOutput{Aliases: []aliasEntry{}, NextMarker: next, Truncated: next != ""}
	for _, name := range page {
		out.Aliases = append(out.Aliases, aliasEntry{name, s.arn(name), s.aliases[name]})
	}
	return out, nil
}

type keyEntry struct{ KeyId, KeyArn string }

type listKeysOutput struct {
	Keys       []keyEntry
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

func (s *Server) listKeys(_ context.Context, call *awsjson.Call, in pageInput) (any, error) {
	if err := s.admitAction(call, "*"); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	page, next, err := in.page(slices.Collect(maps.Keys(s.keys)), 1000)
	if err != nil {
		return nil, err
	}
	out := listKeysOutput{Keys: []keyEntry{}, NextMarker: next, Truncated: next != ""}
	for _, id := range page {
		out.Keys = append(out.Keys, keyEntry{id, s.keyARN(id)})
	}
	return out, nil
}
