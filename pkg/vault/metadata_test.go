package vault

import (
	"bytes"
	"errors"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/seal"
)

// An object that says anything but what its job says is a seal.ErrCommitment,
// whoever wrote the commitment.
func TestDescribed(t *testing.T) {
	mode, err := seal.ModeOf(job.ModeCTR)
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.NewKey(bytes.Repeat([]byte{1}, 16))
	if err != nil {
		t.Fatal(err)
	}
	e := job.Encryption{Mode: job.ModeCTR, Key: "wrapped", KeyMd5: "md5", InitializationVector: "the job's"}
	m := &seal.Material{Mode: mode, Key: key, IV: make([]byte, 16)}
	own := &seal.Material{Mode: mode, Key: key, IV: bytes.Repeat([]byte{2}, 16)}
	got, err := Described(Describe(own, e, "b", "k"), e, m, "b", "k")
	if err != nil || !bytes.Equal(got.IV, own.IV) || got.Mode.Name != job.ModeCTR || !bytes.Equal(m.IV, make([]byte, 16)) {
		t.Errorf("%+v, %v", got, err)
	}
	for name, value := range map[string]string{
		MetadataMode: job.ModeCBC, MetadataKey: "other", MetadataKeyMD5: "", MetadataIV: "AAAAAAAAAAAAAAAAAAAAAA==", MetadataCommitment: "",
	} {
		metadata := Describe(own, e, "b", "k")
		metadata[name] = value
		if _, err := Described(metadata, e, m, "b", "k"); !errors.Is(err, seal.ErrCommitment) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, iv := range [][]byte{nil, make([]byte, 12), make([]byte, 17)} {
		short := &seal.Material{Mode: mode, Key: key, IV: iv}
		if _, err := Described(Describe(short, e, "b", "k"), e, m, "b", "k"); !errors.Is(err, seal.ErrCommitment) {
			t.Errorf("an IV of %d bytes: %v", len(iv), err)
		}
	}
	if _, err := Described(nil, e, m, "b", "k"); !errors.Is(err, seal.ErrCommitment) {
		t.Error(err)
	}
	if _, err := Described(Describe(own, e, "b", "k"), e, m, "b", "other"); !errors.Is(err, seal.ErrCommitment) {
		t.Error(err)
	}
}
