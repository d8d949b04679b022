package e2e

import (
	"testing"

	"sealreel/pkg/job"
)

func TestSealedFileBecomesSealedSegments(t *testing.T) {
	name := unique(t)
	file := clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=20", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=20",
		"-c:v", "libx264", "-g", "60", "-c:a", "aac", "-shortest")
	key := wrapped(t)
	id := submit(t, job.Request{
		Inputs:          []job.Input{{Key: name + ".mp4", Encryption: key}},
		OutputKeyPrefix: name + "/",
		Outputs: []job.Output{
			{Key: "hls1m", PresetID: systemPreset + "200030", SegmentDuration: "8", Encryption: &job.Encryption{Mode: job.ModeSSEC}},
			{Key: "hls400", PresetID: systemPreset + "200050", SegmentDuration: "8", Encryption: &job.Encryption{Mode: job.ModeSSEC}},
			{Key: "web.mp4", PresetID: systemPreset + "000040", Encryption: &job.Encryption{Mode: job.ModeSSEC}},
		},
		Playlists: []job.Playlist{{Name: "master", Format: "HLSv3", OutputKeys: []string{"hls1m", "hls400"}}},
	})
	upload(t, name+".mp4", file, key)
	rec := completed(t, id)
	t.Log(keys(t, name+"/"), rec.Job.Outputs)
}
