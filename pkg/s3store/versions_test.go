package s3store

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// TestVersions lists two pages: places are taken from S3's answer, what was
// deleted is left out, and uploads in parts are told by their entity tag.
func TestVersions(t *testing.T) {
	var asked []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked = append(asked, q.Get("key-marker")+" "+q.Get("version-id-marker"))
		version := func(key, id, etag string, latest bool) string {
			return fmt.Sprintf("<Version><Key>%s</Key><VersionId>%s</VersionId><ETag>&quot;%s&quot;</ETag><IsLatest>%v</IsLatest><LastModified>2026-03-01T10:00:00.000Z</LastModified></Version>", key, id, etag, latest)
		}
		if q.Get("key-marker") == "" {
			fmt.Fprint(w, "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>b</NextKeyMarker><NextVersionIdMarker>2</NextVersionIdMarker>"+
				version("a", "1", "0f", true)+"<DeleteMarker><Key>aa</Key><VersionId>9</VersionId><IsLatest>true</IsLatest></DeleteMarker>"+
				version("aa", "8", "0f", false)+version("b", "2", "0f-3", true)+"</ListVersionsResult>")
			return
		}
		fmt.Fprint(w, "<ListVersionsResult><IsTruncated>false</IsTruncated>"+version("b", "1", "0f", false)+"</ListVersionsResult>")
	}))
	t.Cleanup(server.Close)
	s := New(configOf(server), Options{})
	first, next, err := s.Versions(t.Context(), "in", VersionMarker{})
	if err != nil || next != (VersionMarker{"b", "2"}) {
		t.Fatalf("next %+v, %v", next, err)
	}
	second, end, err := s.Versions(t.Context(), "in", next)
	if err != nil || end != (VersionMarker{}) {
		t.Fatalf("next %+v, %v", end, err)
	}
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	want := []Version{{"a", "1", at, false, false}, {"b", "2", at, true, false}, {"b", "1", at, false, true}}
	if got := append(first, second...); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if !slices.Equal(asked, []string{" ", "b 2"}) {
		t.Errorf("asked from %q", asked)
	}
}
