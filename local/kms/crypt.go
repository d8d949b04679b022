package kms

import (
	"context"
	"crypto/rand"

	"sealreel/local/internal/awsjson"
)

// Limits of the API's model, in bytes.
const (
	maxPlaintext  = 4096
	maxCiphertext = 6144
	maxContext    = 8192 // all names and values (KMS quotas)
	maxDataKey    = 1024
)

// Encryption contexts are not secret; they are noted on the call.

type encryptInput struct {
	KeyId               string
	Plaintext           []byte
	EncryptionContext   map[string]string
	EncryptionAlgorithm string
	DryRun              bool
}

type encryptOutput struct {
	CiphertextBlob      []byte
	KeyId               string
	EncryptionAlgorithm string
}

func (s *Server) encrypt(_ context.Context, call *awsjson.Call, in encryptInput) (any, error) {
	if err := checkLength("plaintext", len(in.Plaintext), 1, maxPlaintext); err != nil {
		return nil, err
	}
	if err := checkUse(call, in.EncryptionContext, in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	k, err := s.usable(call, "kms:Encrypt", in.KeyId, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	return encryptOutput{k.seal(in.Plaintext, in.EncryptionContext), call.Resource, symmetric}, nil
}

// checkUse checks what every use of a key may say besides the key.
func checkUse(call *awsjson.Call, context map[string]string, algorithm string) error {
	call.Context = context
	total := 0
	for name, value := range context {
		total += len(name) + len(value)
	}
	if total > maxContext {
		return kmsError("ValidationException", "The encryption context is longer than %d bytes.", maxContext)
	}
	if algorithm != "" && algorithm != symmetric {
		return wrongAlgorithm()
	}
	return nil
}

type decryptInput struct {
	KeyId               string // optional: the key it must be
	CiphertextBlob      []byte
	EncryptionContext   map[string]string
	EncryptionAlgorithm string
	Recipient           *struct{} // of an enclave
	DryRun              bool
}

type decryptOutput struct {
	KeyId               string
	Plaintext           []byte
	EncryptionAlgorithm string
}

func (s *Server) decrypt(_ context.Context, call *awsjson.Call, in decryptInput) (any, error) {
	if in.Recipient != nil {
		return nil, unsupported("Recipient")
	}
	if err := checkUse(call, in.EncryptionContext, in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	plaintext, err := s.unseal(call, "kms:Decrypt", in.CiphertextBlob, in.KeyId, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	return decryptOutput{call.Resource, plaintext, symmetric}, nil
}

// unseal opens a blob with the key that it names, which must be the wanted
// one if the caller says which, under a permission for it.
func (s *Server) unseal(call *awsjson.Call, permission string, blob []byte, wanted string, context map[string]string) ([]byte, error) {
	if err := checkLength("ciphertextBlob", len(blob), 1, maxCiphertext); err != nil {
		return nil, err
	}
	var k *key
	if wanted != "" {
		var err error
		if k, err = s.usable(call, permission, wanted, context); err != nil {
			return nil, err
		}
	}
	id, err := keyOfBlob(blob)
	switch {
	case err != nil:
		return nil, err
	case k != nil && k.ID != id:
		return nil, incorrectKey()
	case !s.has(id):
		return nil, unknownKeyOfCiphertext()
	case k == nil:
		if k, err = s.usable(call, permission, id, context); err != nil {
			return nil, err
		}
	}
	return k.open(blob, context)
}

func (s *Server) has(id string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.keys[id] != nil
}

type reEncryptInput struct {
	CiphertextBlob                 []byte
	SourceKeyId                    string
	SourceEncryptionContext        map[string]string
	SourceEncryptionAlgorithm      string
	DestinationKeyId               string
	DestinationEncryptionContext   map[string]string
	DestinationEncryptionAlgorithm string
	DryRun                         bool
}

type reEncryptOutput struct {
	CiphertextBlob                 []byte
	SourceKeyId                    string
	KeyId                          string
	SourceEncryptionAlgorithm      string
	DestinationEncryptionAlgorithm string
}

func (s *Server) reEncrypt(_ context.Context, call *awsjson.Call, in reEncryptInput) (any, error) {
	if err := checkUse(call, in.DestinationEncryptionContext, in.DestinationEncryptionAlgorithm); err != nil {
		return nil, err
	}
	if err := checkUse(call, in.SourceEncryptionContext, in.SourceEncryptionAlgorithm); err != nil {
		return nil, err
	}
	destination, err := s.usable(call, "kms:ReEncryptTo", in.DestinationKeyId, in.DestinationEncryptionContext)
	if err != nil {
		return nil, err
	}
	plaintext, err := s.unseal(call, "kms:ReEncryptFrom", in.CiphertextBlob, in.SourceKeyId, in.SourceEncryptionContext)
	if err != nil {
		return nil, err
	}
	defer clear(plaintext)
	if in.DryRun {
		return nil, dryRun()
	}
	return reEncryptOutput{destination.seal(plaintext, in.DestinationEncryptionContext), call.Resource,
		s.keyARN(destination.ID), symmetric, symmetric}, nil
}

type dataKeyInput struct {
	KeyId             string
	KeySpec           string // AES_128 or AES_256, or
	NumberOfBytes     *int   // 1 to 1024
	EncryptionContext map[string]string
	Recipient         *struct{} // of an enclave
	DryRun            bool
}

type dataKeyOutput struct {
	CiphertextBlob []byte
	KeyId          string
	Plaintext      []byte `json:",omitempty"`
}

func (s *Server) generateDataKey(_ context.Context, call *awsjson.Call, in dataKeyInput) (any, error) {
	out, err := s.dataKey(call, in)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Server) generateDataKeyWithoutPlaintext(_ context.Context, call *awsjson.Call, in dataKeyInput) (any, error) {
	out, err := s.dataKey(call, in)
	if err != nil {
		return nil, err
	}
	clear(out.Plaintext)
	out.Plaintext = nil
	return out, nil
}

func (s *Server) dataKey(call *awsjson.Call, in dataKeyInput) (dataKeyOutput, error) {
	if in.Recipient != nil {
		return dataKeyOutput{}, unsupported("Recipient")
	}
	size, err := in.size()
	if err != nil {
		return dataKeyOutput{}, err
	}
	if err := checkUse(call, in.EncryptionContext, ""); err != nil {
		return dataKeyOutput{}, err
	}
	k, err := s.usable(call, "kms:"+call.Action, in.KeyId, in.EncryptionContext)
	if err != nil {
		return dataKeyOutput{}, err
	}
	if in.DryRun {
		return dataKeyOutput{}, dryRun()
	}
	plaintext := make([]byte, size)
	rand.Read(plaintext)
	return dataKeyOutput{k.seal(plaintext, in.EncryptionContext), call.Resource, plaintext}, nil
}

// size is that of the data key asked for, in bytes.
func (in dataKeyInput) size() (int, error) {
	if (in.KeySpec == "") == (in.NumberOfBytes == nil) {
		return 0, kmsError("ValidationException", "Please specify either number of bytes or key spec.")
	}
	switch in.KeySpec {
	case "AES_128":
		return 16, nil
	case "AES_256":
		return 32, nil
	case "":
		return *in.NumberOfBytes, checkBytes(*in.NumberOfBytes)
	}
	return 0, constraint("keySpec", "Member must satisfy enum value set: [AES_256, AES_128]")
}

func checkBytes(n int) error {
	switch {
	case n < 1:
		return constraint("numberOfBytes", "Member must have value greater than or equal to 1")
	case n > maxDataKey:
		return constraint("numberOfBytes", "Member must have value less than or equal to 1024")
	}
	return nil
}

type randomInput struct {
	NumberOfBytes    *int
	CustomKeyStoreId string
	Recipient        *struct{} // of an enclave
}

type randomOutput struct{ Plaintext []byte }

func (s *Server) generateRandom(_ context.Context, call *awsjson.Call, in randomInput) (any, error) {
	if err := s.admitAction(call, "*"); err != nil {
		return nil, err
	}
	if in.CustomKeyStoreId != "" || in.Recipient != nil {
		return nil, unsupported("CustomKeyStoreId or Recipient")
	}
	if in.NumberOfBytes == nil {
		return nil, kmsError("ValidationException", "NumberOfBytes is required.")
	}
	if err := checkBytes(*in.NumberOfBytes); err != nil {
		return nil, err
	}
	random := make([]byte, *in.NumberOfBytes)
	rand.Read(random)
	return randomOutput{random}, nil
}
