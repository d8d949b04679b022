package crash

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/preset"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
)

// scenario is a kind of job. All jobs of a scenario make the same files of the
// same media, each under names and keys of its own.
type scenario struct {
	name     string
	ffmpeg   []string // makes the media
	late     bool     // the media come when the job waits for them already
	outputs  []job.Output
	ivs      map[int]bool // outputs that bring a key and an InitializationVector
	playlist []string     // outputs that a master playlist names
	// captions has the job read a file of captions beside the media.
	captions string

	media []byte
}

var elasticContext = map[string]string{"service": "elastictranscoder.amazonaws.com"}

// presetSeries is what the ids of the tests' presets begin with.
const presetSeries = "1762992000001-"

var names atomic.Int64

// custom stores a preset and returns its id.
func custom(t *testing.T, p preset.Preset) string {
	t.Helper()
	p.ID, p.Name, p.Type = fmt.Sprintf("%s%06d", presetSeries, names.Add(1)), "for a test", preset.TypeCustom
	body, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := preset.Parse(body); err != nil {
		t.Fatal(err)
	}
	if err := site.store.Create(t.Context(), site.state, "presets/"+p.ID+".json", body); err != nil {
		t.Fatal(err)
	}
	return p.ID
}

var tinyVideo = &preset.Video{Codec: "H.264", FrameRate: "auto", KeyframesMaxDist: "40", FixedGOP: "false", BitRate: "100",
	MaxWidth: "128", MaxHeight: "96", SizingPolicy: "ShrinkToFit", PaddingPolicy: "NoPad",
	CodecOptions: map[string]string{"Profile": "baseline", "Level": "3", "MaxReferenceFrames": "1"}}

var tinySound = &preset.Audio{Codec: "AAC", SampleRate: "44100", BitRate: "64", Channels: "1"}

// film is what a job usually does: a segmented output and a single file, sound,
// thumbnails, a master playlist; sealed by S3, by us, with generated keys and with
// the user's own. It has two chunks.
func film(t *testing.T) *scenario {
	stills := &preset.Thumbnails{Format: "jpg", Interval: "5", MaxWidth: "128", MaxHeight: "96", SizingPolicy: "ShrinkToFit", PaddingPolicy: "NoPad"}
	return &scenario{
		name: "film", late: true,
		ffmpeg: []string{"-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=8", "-f", "lavfi", "-i", "sine=f=440:r=44100:d=8",
			"-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-c:a", "aac", "-b:a", "64k", "-shortest", "-f", "mp4"},
		outputs: []job.Output{
			{Key: "hls", PresetID: custom(t, preset.Preset{Container: "ts", Video: tinyVideo, Audio: tinySound, Thumbnails: stills}), SegmentDuration: "4",
				Encryption: &job.Encryption{Mode: job.ModeSSEC}, ThumbnailPattern: "still-{count}", ThumbnailEncryption: &job.Encryption{Mode: job.ModeCTR}},
			{Key: "web.mp4", PresetID: custom(t, preset.Preset{Container: "mp4", Video: tinyVideo, Audio: tinySound}), Encryption: &job.Encryption{Mode: job.ModeGCM}},
		},
		ivs:      map[int]bool{1: true},
		playlist: []string{"hls"},
	}
}

// song is the smallest job: sound alone, in one chunk.
func song(t *testing.T) *scenario {
	return &scenario{
		name:    "song",
		ffmpeg:  []string{"-f", "lavfi", "-i", "sine=f=440:r=44100:d=2", "-c:a", "aac", "-b:a", "64k", "-f", "mp4"},
		outputs: []job.Output{{Key: "a.mp4", PresetID: custom(t, preset.Preset{Container: "mp4", Audio: tinySound}), Encryption: &job.Encryption{Mode: job.ModeCTR}}},
	}
}

// made returns the scenario's media, which are made once.
func (s *scenario) made(t *testing.T) []byte {
	t.Helper()
	if s.media == nil {
		file := filepath.Join(t.TempDir(), "media")
		args := append([]string{"-v", "error", "-nostdin", "-y"}, s.ffmpeg...)
		if out, err := exec.Command("ffmpeg", append(args, file)...).CombinedOutput(); err != nil {
			t.Fatalf("ffmpeg: %v\n%s", err, out)
		}
		var err error
		if s.media, err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return s.media
}

// ring is a user's: it unwraps and makes keys.
var ring = sync.OnceValue(func() *seal.Keyring { return seal.NewKeyring(kmskeys.New(site.aws), site.keyARN, elasticContext) })

// request is the job of a trial, with new keys.
func (s *scenario) request(t *testing.T, name string) (job.Request, *seal.Material) {
	t.Helper()
	t.Helper()
	e, err := ring().Generate(t.Context(), job.ModeSSEC)
	if err != nil {
		t.Fatal(err)
	}
	m, err := ring().Unwrap(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	req := job.Request{PipelineID: site.pipeline, Inputs: []job.Input{{Key: name + "/in.mp4", Encryption: &e}}, OutputKeyPrefix: name + "/"}
	for i, o := range s.outputs {
		if s.ivs[i] {
			o.Encryption = ownKey(t, o.Encryption.Mode)
		}
		req.Outputs = append(req.Outputs, o)
	}
	if s.playlist != nil {
		req.Playlists = []job.Playlist{{Name: "master", Format: "HLSv3", OutputKeys: s.playlist}}
	}
	if s.captions != "" {
		req.Inputs[0].InputCaptions = &job.InputCaptions{MergePolicy: "Override", CaptionSources: []job.CaptionSource{{Key: name + "/said.srt", Language: "en"}}}
	}
	return req, m
}

// ownKey is a key of the user's own with an InitializationVector.
func ownKey(t *testing.T, mode string) *job.Encryption {
	t.Helper()
	t.Helper()
	raw, iv := make([]byte, 32), make([]byte, 16)
	rand.Read(raw)
	rand.Read(iv)
	key, err := seal.NewKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := kmskeys.New(site.aws).Wrap(t.Context(), key, site.keyARN, elasticContext)
	if err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum(blob)
	text := base64.StdEncoding.EncodeToString
	return &job.Encryption{Mode: mode, Key: text(blob), KeyMd5: text(sum[:]), InitializationVector: text(iv)}
}

// put stores an object as a user does and returns its version.
func put(t *testing.T, bucket, key string, m *seal.Material, body []byte) string {
	t.Helper()
	stored, err := site.store.Upload(t.Context(), s3store.UploadTarget{Bucket: bucket, Key: key, Material: m}, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return stored.VersionID
}
