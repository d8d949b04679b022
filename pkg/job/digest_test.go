package job

import "testing"

// TestHideDigests: what may be a key goes, wherever in a job it stands, and what
// can't be one stays.
func TestHideDigests(t *testing.T) {
	good := Encryption{Mode: ModeCTR, Key: "AAECAwQFBgcICQoLDA0ODw==", KeyMd5: "GsHvAelsrxvg0ykzGk/CqA==", InitializationVector: "iv"}
	bad := good
	bad.KeyMd5 = "MDEyMzQ1Njc4OWFiY2RlZg=="
	empty := bad
	empty.Key = ""
	j := &Job{
		Inputs:  []Input{{Encryption: &bad}, {Encryption: ptr(good)}, {}},
		Outputs: []Output{{Encryption: ptr(bad), ThumbnailEncryption: ptr(empty), Watermarks: []Watermark{{Encryption: ptr(bad)}}}},
	}
	HideDigests(j)
	for where, e := range map[string]*Encryption{"input": j.Inputs[0].Encryption, "output": j.Outputs[0].Encryption,
		"thumbnails": j.Outputs[0].ThumbnailEncryption, "watermark": j.Outputs[0].Watermarks[0].Encryption} {
		if e.KeyMd5 != "" || e.Mode != ModeCTR || e.InitializationVector != "iv" {
			t.Errorf("%s: %+v", where, e)
		}
	}
	if *j.Inputs[1].Encryption != good {
		t.Errorf("%+v, want %+v", j.Inputs[1].Encryption, good)
	}
}

func ptr(e Encryption) *Encryption { return &e }
