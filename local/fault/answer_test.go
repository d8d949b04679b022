package fault

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestMetadataKeepsItsLetters: S3 sends names of metadata in small ones.
func TestMetadataKeepsItsLetters(t *testing.T) {
	w := httptest.NewRecorder()
	a := &answer{ResponseWriter: w}
	a.Header().Set("x-amz-meta-sealreel-iv", "iv")
	a.Header().Set("ETag", "tag")
	a.WriteHeader(http.StatusOK)
	if got := w.Header()["x-amz-meta-sealreel-iv"]; len(got) != 1 || got[0] != "iv" || len(w.Header()) != 2 {
		t.Errorf("%v", w.Header())
	}
}
