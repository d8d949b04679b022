package vault

import (
	"encoding/base64"
	"fmt"

	"sealreel/pkg/job"
	"sealreel/pkg/seal"
)

// The user metadata of every object that is encrypted here: with it, and with
// the right to unwrap the key, the object can be opened by itself.
const (
	MetadataMode       = "sealreel-mode"
	MetadataKey        = "sealreel-key" // wrapped
	MetadataKeyMD5     = "sealreel-key-md5"
	MetadataIV         = "sealreel-iv"
	MetadataCommitment = "sealreel-commitment"
)

// Describe is the user metadata of an object that is encrypted with the material
// of an element.
func Describe(m *seal.Material, e job.Encryption, bucket, key string) map[string]string {
	return map[string]string{
		MetadataMode: m.Mode.Name, MetadataKey: e.Key, MetadataKeyMD5: e.KeyMd5,
		MetadataIV:         base64.StdEncoding.EncodeToString(m.IV),
		MetadataCommitment: m.Commit(bucket, key),
	}
}

// Described holds what an object says of itself against the element that its job
// names, whose material m is, and returns the material with the object's own IV.
// It comes before the first byte is decrypted: mode and key are the job's, and
// all that the metadata may choose is the IV, to which the commitment binds it.
// What contradicts is a seal.ErrCommitment.
func Described(metadata map[string]string, e job.Encryption, m *seal.Material, bucket, key string) (*seal.Material, error) {
	for _, c := range []struct{ name, want string }{
		{MetadataMode, m.Mode.Name}, {MetadataKey, e.Key}, {MetadataKeyMD5, e.KeyMd5},
	} {
		if metadata[c.name] != c.want {
			return nil, fmt.Errorf("its metadata %s is not what its job has: %w", c.name, seal.ErrCommitment)
		}
	}
	own := *m
	var err error
	if own.IV, err = base64.StdEncoding.DecodeString(metadata[MetadataIV]); err != nil || len(own.IV) != m.Mode.IVSize {
		return nil, fmt.Errorf("its metadata %s is not the base64 of %d bytes: %w", MetadataIV, m.Mode.IVSize, seal.ErrCommitment)
	}
	if err := own.Committed(metadata[MetadataCommitment], bucket, key); err != nil {
		return nil, fmt.Errorf("its metadata %s: %w", MetadataCommitment, err)
	}
	return &own, nil
}

// Committed holds what an object says of itself against its name and m, what it
// is to be opened with, before the first byte is decrypted. Who else encrypts
// says nothing, which is accepted of objects that are not known to be ours; of
// those that are, it shows that somebody took it away. What contradicts is a
// seal.ErrCommitment.
func Committed(metadata map[string]string, m *seal.Material, bucket, key string, ours bool) error {
	mode, commitment := metadata[MetadataMode], metadata[MetadataCommitment]
	if !ours && mode == "" && commitment == "" {
		return nil
	}
	if mode != m.Mode.Name {
		return fmt.Errorf("its metadata %s is not %s: %w", MetadataMode, m.Mode.Name, seal.ErrCommitment)
	}
	if err := m.Committed(commitment, bucket, key); err != nil {
		return fmt.Errorf("its metadata %s: %w", MetadataCommitment, err)
	}
	return nil
}
