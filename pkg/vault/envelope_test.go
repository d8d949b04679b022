package vault

import (
	"bytes"
	"errors"
	"maps"
	"testing"

	"sealreel/pkg/envelope"
	"sealreel/pkg/job"
	"sealreel/pkg/seal"
)

// An object with an envelope that says anything but what it is, is a
// seal.ErrCommitment; one that says nothing is AWS's client's, unless it is known
// to be ours.
func TestDescribedEnvelope(t *testing.T) {
	mode, err := seal.ModeOf(job.ModeS3EC)
	if err != nil {
		t.Fatal(err)
	}
	material := func(fill byte) *seal.Material {
		key, err := seal.NewKey(bytes.Repeat([]byte{fill}, envelope.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		return &seal.Material{Mode: mode, Key: key, IV: bytes.Repeat([]byte{fill}, envelope.IVSize)}
	}
	m, other := material(1), material(2)
	otherIV, gcm := *m, *m
	otherIV.IV = other.IV
	gcm.Mode, _ = seal.ModeOf(job.ModeGCM)
	genuine := DescribeEnvelope(envelope.Envelope{IV: m.IV}, m, "b", "k")
	with := func(name, value string) map[string]string {
		all := maps.Clone(genuine)
		all[name] = value
		if value == "" {
			delete(all, name)
		}
		return all
	}
	theirs := with(MetadataMode, "")
	delete(theirs, MetadataCommitment)
	for _, c := range []struct {
		name           string
		metadata       map[string]string
		m              *seal.Material
		bucket, key    string
		good, goodOurs bool
	}{
		{"genuine", genuine, m, "b", "k", true, true},
		{"of AWS's client, or stripped", theirs, m, "b", "k", true, false},
		{"another name", genuine, m, "b", "k2", false, false},
		{"another bucket", genuine, m, "b2", "k", false, false},
		{"another object's envelope", genuine, other, "b", "k", false, false},
		{"another IV", genuine, &otherIV, "b", "k", false, false},
		{"another mode's commitment", with(MetadataCommitment, gcm.Commit("b", "k")), m, "b", "k", false, false},
		{"another object's commitment", with(MetadataCommitment, other.Commit("b", "k")), m, "b", "k", false, false},
		{"the commitment alone was taken away", with(MetadataCommitment, ""), m, "b", "k", false, false},
		{"the mode alone was taken away", with(MetadataMode, ""), m, "b", "k", false, false},
		{"another mode", with(MetadataMode, job.ModeGCM), m, "b", "k", false, false},
	} {
		for ours, good := range map[bool]bool{false: c.good, true: c.goodOurs} {
			err := DescribedEnvelope(c.metadata, c.m, c.bucket, c.key, ours)
			if (err == nil) != good || err != nil && !errors.Is(err, seal.ErrCommitment) {
				t.Errorf("%s, ours %t: %v", c.name, ours, err)
			}
		}
	}
}
