package demo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sealreel/cmd/sealreel/internal/fetch"
	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/s3store"
)

// tolerance is how much longer or shorter than the clip an output may be, in
// seconds: some frames of sound.
const tolerance = 0.1

// reader fetches outputs as their owner and checks what it finds.
type reader struct {
	site            *site.Site
	folder          string // where outputs are written, under their keys
	ffmpeg, ffprobe string
}

// report is what was found out about one output.
type report struct {
	name    string
	sealed  int // objects that nobody can read without the key
	bytes   int64
	seconds float64
}

func (r *reader) file(key string) string { return filepath.Join(r.folder, filepath.FromSlash(key)) }

// fetch writes the plaintext of an object to its file and returns its size. A
// sealed object must be refused to whoever has no key.
func (r *reader) fetch(ctx context.Context, key string, sealed bool) (size int64, err error) {
	place, err := fetch.Locate(ctx, r.site.Ledger, r.site.Value(site.OutputBucket), key)
	if err != nil {
		return 0, err
	}
	if sealed {
		if place.Encryption == nil || place.Encryption.Mode != job.ModeSSEC {
			return 0, fmt.Errorf("%s is not in mode %s", key, job.ModeSSEC)
		}
		if err := r.refused(ctx, place.Bucket, key); err != nil {
			return 0, err
		}
	}
	content, err := fetch.Open(ctx, r.site.Store, r.site.Keys, place)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	if err := os.MkdirAll(filepath.Dir(r.file(key)), 0o700); err != nil {
		return 0, err
	}
	return content.Size, fetch.Save(r.file(key), content)
}

// refused checks that S3 does not give an object without its key.
func (r *reader) refused(ctx context.Context, bucket, key string) error {
	body, err := r.site.Store.ReadRange(ctx, s3store.Object{Bucket: bucket, Key: key}, nil, 0, 1)
	switch {
	case errors.Is(err, object.ErrNeedsKey):
		return nil
	case err != nil:
		return err
	}
	body.Close()
	return fmt.Errorf("%s in bucket %s can be read without the key", key, bucket)
}

// playlist fetches a playlist and reads it.
func (r *reader) playlist(ctx context.Context, key string) (playlist, error) {
	if _, err := r.fetch(ctx, key, false); err != nil {
		return playlist{}, err
	}
	text, err := os.ReadFile(r.file(key))
	if err != nil {
		return playlist{}, err
	}
	return readPlaylist(key, string(text))
}

// output fetches an output: a stream, if it is one of those, or a single file.
func (r *reader) output(ctx context.Context, key, rate string, streams []string) (report, error) {
	if list := key + ".m3u8"; slices.Contains(streams, list) {
		return r.stream(ctx, list, rate)
	}
	return r.single(ctx, key, rate)
}

// stream fetches a media playlist and its segments, as a player would. The rate
// is in frames a second.
func (r *reader) stream(ctx context.Context, key, rate string) (report, error) {
	p, err := r.playlist(ctx, key)
	if err != nil {
		return report{}, err
	}
	rep := report{name: key}
	for _, s := range p.segments {
		size, err := r.fetch(ctx, s, true)
		if err != nil {
			return report{}, err
		}
		rep.sealed, rep.bytes = rep.sealed+1, rep.bytes+size
	}
	if rep.seconds, err = r.decode(ctx, key, rate); err != nil {
		return report{}, err
	}
	if math.Abs(p.seconds-rep.seconds) > tolerance {
		return report{}, fmt.Errorf("%s says that it lasts %.3f s, and lasts %.3f s", key, p.seconds, rep.seconds)
	}
	return rep, nil
}

// single fetches a single file.
func (r *reader) single(ctx context.Context, key, rate string) (rep report, err error) {
	rep = report{name: key, sealed: 1}
	if rep.bytes, err = r.fetch(ctx, key, true); err == nil {
		rep.seconds, err = r.decode(ctx, key, rate)
	}
	return rep, err
}

// decode decodes a fetched file from start to end without an error, and checks
// that it has the frames of that rate for the whole clip, and the clip's length,
// which it returns.
func (r *reader) decode(ctx context.Context, key, rate string) (seconds float64, err error) {
	perSecond, err := strconv.ParseFloat(rate, 64)
	if err != nil {
		return 0, fmt.Errorf("the frame rate of %s is %q: %w", key, rate, err)
	}
	if _, err := program(ctx, r.ffmpeg, "-v", "error", "-nostdin", "-xerror", "-i", r.file(key), "-f", "null", "-"); err != nil {
		return 0, fmt.Errorf("decoding %s: %w", key, err)
	}
	out, err := program(ctx, r.ffprobe, "-v", "error", "-count_packets", "-select_streams", "v:0",
		"-show_entries", "stream=nb_read_packets:format=duration", "-of", "default=noprint_wrappers=1", r.file(key))
	if err != nil {
		return 0, fmt.Errorf("probing %s: %w", key, err)
	}
	found := map[string]string{}
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		found[name] = value
	}
	if want := fmt.Sprint(math.Round(perSecond * clipSeconds)); found["nb_read_packets"] != want {
		return 0, fmt.Errorf("%s has %s frames, and %d s at %s frames a second have %s", key, found["nb_read_packets"], clipSeconds, rate, want)
	}
	seconds, err = strconv.ParseFloat(found["duration"], 64)
	if err != nil || math.Abs(seconds-clipSeconds) > tolerance {
		return 0, fmt.Errorf("%s lasts %s s, and the clip %d s", key, found["duration"], clipSeconds)
	}
	return seconds, nil
}
