package interop

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/vault"
)

// command builds `sealreel` and returns what runs it with arguments, as the user
// of this S3 and KMS, and gives its standard output.
func command(t *testing.T) func(args ...string) ([]byte, error) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "sealreel")
	if out, err := exec.Command("go", "build", "-o", binary, "sealreel/cmd/sealreel").CombinedOutput(); err != nil {
		t.Fatalf("building the command: %v\n%s", err, out)
	}
	environment := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=secret", "AWS_REGION=" + region,
		"AWS_ENDPOINT_URL_S3=" + site.objectsURL, "AWS_ENDPOINT_URL_KMS=" + site.keysURL,
		"SEALREEL_STATE_BUCKET=" + bucket, "SEALREEL_OUTPUT_BUCKET=" + bucket, "SEALREEL_KMS_KEY_ARN=" + site.keyARN,
		"SEALREEL_PIPELINE_ID=1762992000000-sealrl",
	}
	return func(args ...string) ([]byte, error) {
		c := exec.CommandContext(t.Context(), binary, args...)
		c.Env = environment
		out, err := c.Output()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New(string(exit.Stderr))
		}
		return out, err
	}
}

// TestTheyWriteTheCommandReads: to a file, and to a pipe after a first pass; and
// nothing of what is not genuine comes out.
func TestTheyWriteTheCommandReads(t *testing.T) {
	sealreel, dir := command(t), t.TempDir()
	for _, n := range []int{0, 17, 9<<20 + 3} {
		want := noise(n)
		key := theyWrite(t, site.keyARN, transcoder, want)
		if got, err := sealreel("get", "--mode", job.ModeS3EC, key, "-"); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: a pipe got %d, %v", n, len(got), err)
		}
		file := filepath.Join(dir, "got")
		_, err := sealreel("get", "--mode", job.ModeS3EC, key, file)
		if got, readErr := os.ReadFile(file); err != nil || readErr != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: a file got %d, %v, %v", n, len(got), err, readErr)
		}
	}
	body, metadata := raw(t, theyWrite(t, site.keyARN, transcoder, noise(9<<20)))
	body[len(body)-1] ^= 1
	put(t, "forged", body, metadata)
	for _, file := range []string{"-", filepath.Join(dir, "none")} {
		if got, err := sealreel("get", "--mode", job.ModeS3EC, "forged", file); err == nil || len(got) > 0 || !strings.Contains(err.Error(), "can't be decrypted") {
			t.Errorf("of a forged object %s got %d bytes, %v", file, len(got), err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a forged file was left: %v", err)
	}
	metadata["x-amz-cek-alg"] = "AES/CBC/PKCS5Padding"
	put(t, "cbc", body, metadata)
	if _, err := sealreel("get", "--mode", job.ModeS3EC, "cbc", "-"); err == nil || !strings.Contains(err.Error(), "only AES/GCM/NoPadding is read: store it again in GCM") {
		t.Error(err)
	}
}

// TestOurObjectsKeepTheirNames: AWS's client reads our objects wherever they are
// copied, for its format has no names; we read them where they were stored. One
// without our metadata is not known to be ours.
func TestOurObjectsKeepTheirNames(t *testing.T) {
	s, want := session(t, site.keyARN, transcoder), noise(1000)
	for _, key := range []string{"names/a", "names/b"} {
		o := plan.Output{Job: "j", ID: "1", Bucket: bucket, Key: key, Encryption: asked()}
		if _, err := s.Store(t.Context(), o, key, "video/mp4", bytes.NewReader(want)); err != nil {
			t.Fatal(err)
		}
	}
	body, metadata := raw(t, "names/a")
	_, other := raw(t, "names/b")
	with := func(name, value string) map[string]string {
		all := maps.Clone(metadata)
		if all[name] = value; value == "" {
			delete(all, name)
		}
		return all
	}
	for name, changed := range map[string]map[string]string{
		"copied":                      metadata,
		"with the other's commitment": with(vault.MetadataCommitment, other[vault.MetadataCommitment]),
		"without a commitment":        with(vault.MetadataCommitment, ""),
		"without a mode":              with(vault.MetadataMode, ""),
		"with another mode":           with(vault.MetadataMode, job.ModeGCM),
	} {
		put(t, "names/c", body, changed)
		if got, err := theyRead(t, site.keyARN, "names/c"); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: they read %d bytes, %v", name, len(got), err)
		}
		got, err := weRead(t, s, "names/c")
		if len(got) > 0 {
			t.Errorf("%s: read %d bytes", name, len(got))
		}
		wantFailure(t, err, 4016, "the object was not sealed under this name, mode, IV and key; store it anew under this name")
	}
	bare := with(vault.MetadataCommitment, "")
	delete(bare, vault.MetadataMode)
	put(t, "names/c", body, bare)
	if got, err := weRead(t, s, "names/c"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("as AWS's client would have stored it: %d bytes, %v", len(got), err)
	}
}
