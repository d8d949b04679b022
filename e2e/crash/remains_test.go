package crash

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/s3store"
	"sealreel/pkg/vault"
)

// remains are what a job leaves, told without what is its own, so that those of
// two jobs of a scenario can be compared.
type remains struct {
	outputs map[string]string // the digests of their plaintext
	records []string
	states  []string // that the topic was told
	status  string
	details []string
}

// pairs are the keys and IVs that anything was ever sealed with here, and by what.
var pairs sync.Map

// outputs decrypts all that the job has stored for its user.
func (r *trial) outputs(t *testing.T, rec *ledger.Record) map[string]string {
	t.Helper()
	p, err := site.ledger.Plan(t.Context(), r.id)
	if err != nil {
		t.Fatal(err)
	}
	session, err := site.vault.Open(t.Context(), p.Keys)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	all := map[string]string{}
	for key, err := range site.store.Keys(t.Context(), site.output, r.name+"/") {
		if err != nil {
			t.Fatal(err)
		}
		sum, err := plaintext(t, session, key, elements(rec))
		if err != nil {
			t.Errorf("%s, job %s: %s: %v; killed at\n%s", r.name, r.id, key, err, r.deathList())
		}
		all[plain(key)] = sum
	}
	return all
}

// elements are all that the job's record says of keys.
func elements(rec *ledger.Record) []*job.Encryption {
	var all []*job.Encryption
	for _, o := range rec.Job.Outputs {
		all = append(all, o.Encryption, o.ThumbnailEncryption)
		if o.Captions != nil {
			for _, f := range o.Captions.CaptionFormats {
				all = append(all, f.Encryption)
			}
		}
	}
	return slices.DeleteFunc(all, func(e *job.Encryption) bool { return e == nil })
}

// plaintext decrypts an object, as whoever has only it and the job's record does,
// and returns the digest. What it is sealed with must have sealed nothing else.
func plaintext(t *testing.T, session *vault.Session, key string, known []*job.Encryption) (string, error) {
	t.Helper()
	e, err := elementOf(t, key, known)
	if err != nil {
		return "", err
	}
	in, err := session.Pin(t.Context(), site.output, key, "", e)
	if err != nil {
		return "", err
	}
	if err := session.Verify(t.Context(), in); err != nil {
		return "", err
	}
	if e != nil && e.InitializationVector != "" {
		if other, used := pairs.LoadOrStore(e.Key+" "+e.InitializationVector, key); used && other != key {
			return "", fmt.Errorf("it is sealed with the key and IV of %s", other)
		}
	}
	media, err := session.Input(t.Context(), in, 1)
	if err != nil {
		return "", err
	}
	defer media.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, io.NewSectionReader(media, 0, media.Size()))
	return fmt.Sprintf("%d bytes, %x", n, sum.Sum(nil)[:8]), err
}

// elementOf says what an object is encrypted with: what its metadata say, if the
// job knows that key, or a customer key of the job's; nil for a playlist.
func elementOf(t *testing.T, key string, known []*job.Encryption) (*job.Encryption, error) {
	t.Helper()
	info, err := site.store.Head(t.Context(), s3store.Object{Bucket: site.output, Key: key}, nil)
	if errors.Is(err, object.ErrNeedsKey) {
		for _, e := range known {
			m, err := ring().Unwrap(t.Context(), *e)
			if err != nil {
				return nil, err
			}
			if _, err := site.store.Head(t.Context(), s3store.Object{Bucket: site.output, Key: key}, m); e.Mode == job.ModeSSEC && err == nil {
				return e, nil
			}
		}
		return nil, errors.New("no key of the job opens it")
	}
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(key, ".m3u8") {
		return nil, nil
	}
	for _, e := range known {
		if e.Key == info.Metadata[vault.MetadataKey] && e.Mode == info.Metadata[vault.MetadataMode] {
			own := *e
			own.InitializationVector = info.Metadata[vault.MetadataIV]
			return &own, nil
		}
	}
	return nil, fmt.Errorf("its metadata name no key of the job: %v", info.Metadata)
}

// survey finds out whose every object of the state bucket is, and complains of
// those that are nobody's.
func survey(t *testing.T) map[*trial][]string {
	t.Helper()
	records := map[*trial][]string{}
	for key, err := range site.store.Keys(t.Context(), site.state, "") {
		if err != nil {
			t.Fatal(err)
		}
		r := ownerOf(t, key)
		switch {
		case r != nil:
			records[r] = append(records[r], plain("state/"+key))
		case !slices.ContainsFunc([]string{"pipelines/", "presets/", "reconcile/"}, func(p string) bool { return strings.HasPrefix(key, p) }):
			t.Errorf("%s in the state bucket belongs to no job", key)
		}
	}
	for key, err := range site.store.Keys(t.Context(), site.work, "") {
		if err != nil {
			t.Fatal(err)
		}
		if site.recorder.trialOf(jobIn(key)) == nil {
			t.Errorf("%s in the work bucket belongs to no job", key)
		}
	}
	return records
}

// ownerOf is the trial that a record belongs to: by its name, or by what it says.
func ownerOf(t *testing.T, key string) *trial {
	t.Helper()
	if r := site.recorder.trialOf(namePattern.FindString(key)); r != nil {
		return r
	}
	if r := site.recorder.trialOf(jobIn(key)); r != nil {
		return r
	}
	if !strings.HasPrefix(key, "drops/") && !strings.HasPrefix(key, "pairs/") {
		return nil
	}
	body, _, err := site.store.Get(t.Context(), site.state, key)
	if err != nil {
		t.Fatal(err)
	}
	var record struct{ Job string }
	if err := json.Unmarshal(body, &record); err != nil {
		t.Fatal(err)
	}
	return site.recorder.trialOf(record.Job)
}

// left is all that a job left, when everything has come to an end.
func (r *trial) left(t *testing.T, records []string) remains {
	t.Helper()
	rec, err := site.ledger.Job(t.Context(), r.id)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(records)
	l := remains{outputs: r.outputs(t, rec), records: slices.Compact(records), status: rec.Job.Status,
		states: slices.Sorted(maps.Keys(site.topic.of(r.id)))}
	for _, o := range rec.Job.Outputs {
		l.details = append(l.details, o.Status+" "+plain(o.StatusDetail))
	}
	return l
}

// lasting are the records of a job without the notes of sweeps that looked at it,
// and of what invocations used, which those that die don't leave.
func lasting(records []string) []string {
	return slices.DeleteFunc(slices.Clone(records), func(key string) bool {
		return strings.HasPrefix(key, "state/watch/") || strings.HasPrefix(key, "state/usage/")
	})
}

// differences are what tells two jobs of a scenario apart.
func (a remains) differences(b remains) []string {
	var all []string
	if a.status != b.status || !slices.Equal(a.details, b.details) {
		all = append(all, fmt.Sprintf("it is %s %q, want %s %q", a.status, a.details, b.status, b.details))
	}
	for _, key := range slices.Sorted(maps.Keys(b.outputs)) {
		if a.outputs[key] != b.outputs[key] {
			all = append(all, fmt.Sprintf("%s is %q, want %q", key, a.outputs[key], b.outputs[key]))
		}
	}
	for key := range a.outputs {
		if _, ok := b.outputs[key]; !ok {
			all = append(all, key+" was stored")
		}
	}
	if mine, theirs := lasting(a.records), lasting(b.records); !slices.Equal(mine, theirs) {
		all = append(all, fmt.Sprintf("the records are %q, want %q", mine, theirs))
	}
	if !slices.Equal(a.states, b.states) {
		all = append(all, fmt.Sprintf("the topic was told of %q, want %q", a.states, b.states))
	}
	return all
}
