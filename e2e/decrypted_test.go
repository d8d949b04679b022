package e2e

import (
	"bytes"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/vault"
	"sealreel/pkg/work"
)

// decrypted is a stored object as its owner reads it.
type decrypted struct {
	canary       *canary
	bucket, name string
	body         []byte
}

func (d decrypted) String() string { return d.bucket + "/" + d.name }

// outputs are the files of both outputs, decrypted.
func (c *canary) outputs(t *testing.T) []decrypted {
	t.Helper()
	var all []decrypted
	for _, name := range keys(t, c.name+"/") {
		if strings.HasSuffix(name, ".m3u8") {
			continue
		}
		output := 0
		if strings.HasSuffix(name, ".mp4") {
			output = 1
		}
		var body []byte
		switch e := c.rec.Job.Outputs[output].Encryption; c.out {
		case "", job.ModeS3, job.ModeS3KMS, job.ModeSSEC:
			body = fetch(t, c.rec, output, name)
		case job.ModeS3EC:
			body, _ = opened(t, name)
		default:
			sealed, metadata := stored(t, name)
			body = crypt(t, true, c.out, unwrapped(t, e), []byte(decoded(t, metadata[vault.MetadataIV])), sealed)
		}
		all = append(all, decrypted{c, site.output, name, body})
	}
	return all
}

// works are the files that the job's functions passed to each other, decrypted.
func (c *canary) works(t *testing.T) []decrypted {
	t.Helper()
	p := planOf(t, c.id)
	ring := seal.NewKeyring(kmskeys.New(site.aws), "", p.Keys.Context)
	defer ring.Close()
	m, err := ring.Unwrap(t.Context(), p.Keys.Work)
	if err != nil {
		t.Fatal(err)
	}
	var all []decrypted
	for name, err := range site.store.Keys(t.Context(), site.work, c.id+"/") {
		if err != nil {
			t.Fatal(err)
		}
		sealed, _, err := site.store.Get(t.Context(), site.work, name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := work.NewReader(bytes.NewReader(sealed), m.Key, site.work+"/"+name)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		if _, err := body.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		all = append(all, decrypted{c, site.work, name, body.Bytes()})
	}
	return all
}

// dropped is the film as it is stored, decrypted.
func (c *canary) dropped(t *testing.T) decrypted {
	t.Helper()
	d := decrypted{canary: c, bucket: site.ingest, name: c.name}
	o := s3store.Object{Bucket: site.ingest, Key: c.name}
	var m *seal.Material
	if c.in == job.ModeSSEC {
		var err error
		if m, err = keyring(t).Unwrap(t.Context(), *c.input); err != nil {
			t.Fatal(err)
		}
	}
	info, err := site.store.Head(t.Context(), o, m)
	if err != nil {
		t.Fatal(err)
	}
	r, err := site.store.ReadRange(t.Context(), o, m, 0, info.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	switch c.in {
	case job.ModeCBC, job.ModeCTR, job.ModeGCM:
		d.body = crypt(t, true, c.in, c.inputKey, []byte(decoded(t, c.input.InitializationVector)), body.Bytes())
	case job.ModeS3EC:
		key, err := kmskeys.New(site.aws).Decrypt(t.Context(), []byte(decoded(t, info.Metadata["x-amz-key-v2"])), site.keyARN, clientContext)
		if err != nil {
			t.Fatal(err)
		}
		d.body = crypt(t, true, job.ModeGCM, key, []byte(decoded(t, info.Metadata["x-amz-iv"])), body.Bytes())
	default:
		d.body = body.Bytes()
	}
	return d
}

// samples are pieces of a file by which it can be told from everything else: no
// runs of one byte, and no text.
func (d decrypted) samples() [][]byte {
	const size, most = 32, 8
	var all [][]byte
	for i := range 64 {
		at := i * (len(d.body) - size) / 64
		if at < 0 || len(all) == most {
			break
		}
		distinct := map[byte]bool{}
		for _, b := range d.body[at : at+size] {
			distinct[b] = true
		}
		if piece := d.body[at : at+size]; len(distinct) > 22 {
			all = append(all, piece)
		}
	}
	return all
}
