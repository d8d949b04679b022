package config

import (
	"strings"
	"testing"
)

func env(extra map[string]string) func(string) string {
	return func(name string) string {
		if v, ok := extra[name]; ok {
			return v
		}
		switch name {
		case "SEALREEL_INGEST_BUCKET", "SEALREEL_OUTPUT_BUCKET", "SEALREEL_STATE_BUCKET", "SEALREEL_WORK_BUCKET", "SEALREEL_QUEUE_URL":
			return strings.ToLower(name)
		}
		return ""
	}
}

func TestDefaults(t *testing.T) {
	c, err := FromEnv(env(nil))
	if err != nil {
		t.Fatal(err)
	}
	if c.ChunkSeconds != 30 || c.X264Preset != "medium" || c.FFmpeg != "/opt/bin/ffmpeg" || c.MaxPixels != 35651584 {
		t.Errorf("defaults are %+v", c)
	}
}

func TestEverythingWrongIsReportedAtOnce(t *testing.T) {
	_, err := FromEnv(env(map[string]string{
		"SEALREEL_STATE_BUCKET": "", "SEALREEL_CHUNK_SECONDS": "0", "SEALREEL_LOG_LEVEL": "loud", "SEALREEL_MAX_PIXELS": "many", "SEALREEL_ENCRYPTED_PUTS": "maybe", "SEALREEL_NO_SANDBOX": "perhaps"}))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"SEALREEL_STATE_BUCKET", "SEALREEL_CHUNK_SECONDS", "SEALREEL_LOG_LEVEL", "SEALREEL_MAX_PIXELS", "SEALREEL_ENCRYPTED_PUTS", "SEALREEL_NO_SANDBOX"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %s", err, want)
		}
	}
}

// FuzzFromEnv sets one variable at a time: what is taken is within its bounds.
func FuzzFromEnv(f *testing.F) {
	names := []string{"SEALREEL_CHUNK_SECONDS", "SEALREEL_MAXIMUM_CONCURRENCY", "SEALREEL_MAX_PIXELS", "SEALREEL_LOST_SECONDS", "SEALREEL_STALLED_SECONDS",
		"SEALREEL_LOG_LEVEL", "SEALREEL_ENCRYPTED_PUTS", "SEALREEL_NO_SANDBOX"}
	for i := range names {
		f.Add(i, "30")
		f.Add(i, "-9223372036854775808")
		f.Add(i, "DEBUG+1")
		f.Add(i, "yes")
	}
	f.Fuzz(func(t *testing.T, n int, value string) {
		if n < 0 || n >= len(names) {
			return
		}
		c, err := FromEnv(env(map[string]string{names[n]: value}))
		if err != nil {
			if !strings.Contains(err.Error(), names[n]) {
				t.Errorf("%q does not name %s", err, names[n])
			}
			return
		}
		if c.ChunkSeconds < 1 || c.MaximumConcurrency < 1 || c.MaxPixels < 1 || c.LostSeconds < 1 || c.StalledSeconds < 1 {
			t.Errorf("%s=%q gives %+v", names[n], value, c)
		}
	})
}
