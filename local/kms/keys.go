package kms

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sealreel/local/iam"
	"sealreel/local/internal/atomicfile"
	"sealreel/local/internal/awsjson"
)

// key is a symmetric KMS key. Its fields but material are what anybody may
// know of it.
type key struct {
	ID          string // a UUID
	Material    []byte // 32 bytes
	Description string
	Disabled    bool
	Created     time.Time
	Policy      string `json:",omitempty"` // JSON; empty for the default

	policy *iam.Policy // Policy or the default, as it was read
}

// keyFile is what the file holds.
type keyFile struct {
	Keys    []*key
	Aliases map[string]string // alias/NAME to key id
}

func (s *Server) load() error {
	if err := os.MkdirAll(s.config.Dir, 0o700); err != nil {
		return fmt.Errorf("kms: make the folder of the keys: %w", err)
	}
	s.path = filepath.Join(s.config.Dir, "keys.json")
	s.keys, s.aliases = make(map[string]*key), make(map[string]string)
	text, err := os.ReadFile(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("kms: read the keys: %w", err)
	}
	var file keyFile
	if err := json.Unmarshal(text, &file); err != nil {
		return fmt.Errorf("kms: %s is damaged (offset %s); restore it, or remove it and lose what its keys encrypt", s.path, offset(err))
	}
	for _, k := range file.Keys {
		if len(k.Material) != 32 {
			return fmt.Errorf("kms: %s: key %s has no material of 32 bytes; restore the file", s.path, k.ID)
		}
		if err := s.readPolicy(k); err != nil {
			return fmt.Errorf("kms: %s: policy of key %s: %w; restore the file", s.path, k.ID, err)
		}
		s.keys[k.ID] = k
	}
	maps.Copy(s.aliases, file.Aliases)
	return nil
}

// offset says where JSON is damaged without quoting any of it.
func offset(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprint(syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Sprint(kind.Offset)
	}
	return "unknown"
}

// save writes the keys; the caller holds the lock for writing.
func (s *Server) save() error {
	file := keyFile{Aliases: s.aliases}
	for _, id := range slices.Sorted(maps.Keys(s.keys)) {
		file.Keys = append(file.Keys, s.keys[id])
	}
	err := atomicfile.Write(s.path, 0o600, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(file)
	})
	if err != nil {
		return fmt.Errorf("kms: %w", err)
	}
	return nil
}

// EnsureKey returns the ARN of the key that an alias (alias/NAME) stands
// for. If there is no such alias it makes a key and the alias.
func (s *Server) EnsureKey(alias, description string) (arn string, err error) {
	if err := checkAliasName(alias); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, ok := s.aliases[alias]; ok {
		return s.keyARN(id), nil
	}
	k := s.newKey(description)
	s.keys[k.ID], s.aliases[alias] = k, k.ID
	if err := s.save(); err != nil {
		delete(s.keys, k.ID)
		delete(s.aliases, alias)
		return "", err
	}
	return s.keyARN(k.ID), nil
}

func (s *Server) newKey(description string) *key {
	k := &key{ID: awsjson.UUID(), Material: make([]byte, 32), Description: description, Created: time.Now()}
	rand.Read(k.Material) // never fails since Go 1.24
	if err := s.readPolicy(k); err != nil {
		panic("kms: the default policy can't be read: " + err.Error())
	}
	return k
}

func (s *Server) keyARN(id string) string { return s.arn("key/" + id) }

func (s *Server) arn(resource string) string {
	return "arn:aws:kms:" + s.config.Region + ":" + s.config.Account + ":" + resource
}

// resolve returns the key that a KeyId names: a key's id or ARN, an alias's
// name or ARN. The caller holds the lock.
func (s *Server) resolve(keyID string) (*key, error) {
	if err := checkLength("keyId", len(keyID), 1, 2048); err != nil {
		return nil, err
	}
	local, isARN := keyID, false
	if rest, ok := strings.CutPrefix(keyID, "arn:"); ok {
		parts := strings.SplitN(rest, ":", 5)
		if len(parts) != 5 || parts[1] != "kms" {
			return nil, notFound("Invalid arn %s", keyID)
		}
		if parts[0] != "aws" || parts[2] != s.config.Region {
			return nil, notFound("Invalid arn %s", parts[2])
		}
		if parts[3] != s.config.Account {
			return nil, notFound("Key '%s' does not exist", keyID)
		}
		local, isARN = parts[4], true
	}
	if strings.HasPrefix(local, "alias/") {
		id, ok := s.aliases[local]
		if !ok {
			return nil, notFound("Alias %s is not found.", s.arn(local))
		}
		return s.keys[id], nil
	}
	id := local
	if isARN {
		id = strings.TrimPrefix(local, "key/")
	}
	k := s.keys[id]
	if k == nil {
		return nil, notFound("Key '%s' does not exist", s.keyARN(id))
	}
	return k, nil
}

// usable is resolve for a key that is about to be used: it notes the key on
// the call, asks whether the caller has the permission for it, and refuses
// one that is disabled.
func (s *Server) usable(call *awsjson.Call, permission, keyID string, context map[string]string) (*key, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k, err := s.resolve(keyID)
	if err != nil {
		return nil, err
	}
	if err := s.admit(call, permission, k, use{keyID: keyID, context: context}); err != nil {
		return nil, err
	}
	if k.Disabled {
		return nil, disabled(call.Resource)
	}
	return k, nil
}
