package s3

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func testIndex(t *testing.T) *index {
	t.Helper()
	ix, err := openIndex(filepath.Join(t.TempDir(), "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ix.close() })
	return ix
}

// naive lists as the documentation of ListObjects says it, from a sorted slice of keys.
func naive(keys []string, q listQuery) (names []string) {
	seen := map[string]bool{}
	for _, key := range keys {
		if !strings.HasPrefix(key, q.prefix) {
			continue
		}
		name := key
		if at := strings.Index(key[len(q.prefix):], q.delimiter); q.delimiter != "" && at >= 0 {
			name = key[:len(q.prefix)+at+len(q.delimiter)]
		}
		if name > q.after && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// TestListAgainstNaive lists random sets of keys page by page and compares with the naive listing.
func TestListAgainstNaive(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []string{"a", "b", "/", "\x01", "\U0010ffff", "é", "-"}
	word := func(n int) string {
		var b strings.Builder
		for range random.IntN(n + 1) {
			b.WriteString(alphabet[random.IntN(len(alphabet))])
		}
		return b.String()
	}
	for round := range 60 {
		ix := testIndex(t)
		var live []string
		err := ix.update(func(tab tables) error {
			record := &bucketRecord{Name: "b", Versioning: types.BucketVersioningStatusEnabled}
			if err := tab.putBucket(record); err != nil {
				return err
			}
			set := map[string]bool{}
			for range random.IntN(40) {
				key := "k" + word(5)
				gone := random.IntN(4) == 0 // its newest version is a delete marker
				if _, err := tab.place(record, &version{Key: key, DeleteMarker: gone}); err != nil {
					return err
				}
				set[key] = !gone
			}
			for key, there := range set {
				if there {
					live = append(live, key)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(live)
		for range 20 {
			q := listQuery{prefix: "k" + word(2), delimiter: []string{"", "/", "b", "-/"}[random.IntN(4)], limit: 1 + random.IntN(4)}
			if random.IntN(3) == 0 {
				q.after = "k" + word(3)
			}
			compareListing(t, ix, live, q, round)
		}
	}
}

func compareListing(t *testing.T, ix *index, live []string, q listQuery, round int) {
	t.Helper()
	want := naive(live, q)
	var got []string
	for page, next := 0, q; ; page++ {
		var result listPage
		err := ix.view(func(tab tables) (err error) {
			result, err = tab.list("b", next)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, v := range result.versions {
			names = append(names, v.Key)
		}
		names = append(names, result.prefixes...)
		slices.Sort(names)
		got = append(got, names...)
		if !result.truncated {
			break
		}
		if result.size() != q.limit || page > len(live) {
			t.Fatalf("round %d %+v: page %d has %d entries and is not the last", round, q, page, result.size())
		}
		next.after = result.last
	}
	if !slices.Equal(got, want) {
		t.Fatalf("round %d %+v of %q:\ngot  %q\nwant %q", round, q, live, got, want)
	}
}

// TestListVersionsPageByPage pages through versions one, two and three at a time: nothing is lost or doubled, and only
// the newest of a key is called so.
func TestListVersionsPageByPage(t *testing.T) {
	ix := testIndex(t)
	var want []string
	err := ix.update(func(tab tables) error {
		record := &bucketRecord{Name: "b", Versioning: types.BucketVersioningStatusEnabled}
		if err := tab.putBucket(record); err != nil {
			return err
		}
		for _, key := range []string{"a", "a/b", "c"} {
			for n := range 4 {
				if _, err := tab.place(record, &version{Key: key, DeleteMarker: n == 2}); err != nil {
					return err
				}
			}
			for n := 3; n >= 0; n-- {
				want = append(want, fmt.Sprint(key, " latest=", n == 3, " marker=", n == 2))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for limit := 1; limit <= 13; limit++ {
		var got []string
		q, afterID := listQuery{limit: limit}, ""
		for range 20 {
			var page listPage
			err := ix.view(func(tab tables) (err error) {
				page, err = tab.listVersions("b", q, afterID)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range page.versions {
				got = append(got, fmt.Sprint(v.Key, " latest=", page.latest[i], " marker=", v.DeleteMarker))
			}
			if !page.truncated {
				break
			}
			q.after, afterID = page.last, page.lastID
		}
		if !slices.Equal(got, want) {
			t.Fatalf("by %d:\ngot  %q\nwant %q", limit, got, want)
		}
	}
}

func TestAfterPrefix(t *testing.T) {
	for prefix, want := range map[string]string{"a": "b", "a/": "a0", "a\xff": "b", "\xff\xff": "", "": ""} {
		if got := string(afterPrefix(prefix)); got != want {
			t.Errorf("%q: got %q, want %q", prefix, got, want)
		}
	}
}
