package s3

import (
	"bytes"
	"strings"
)

// listQuery is what the list operations have in common.
type listQuery struct {
	prefix    string
	delimiter string
	after     string // a key or common prefix that an earlier page ended with
	limit     int
}

// listPage is one page of a listing. Keys and common prefixes count alike towards the limit.
type listPage struct {
	versions  []*version
	latest    []bool // of versions: whether it is the newest of its key
	prefixes  []string
	last      string // key or common prefix the page ends with
	lastID    string // version the page ends with, in a listing of versions
	truncated bool
}

func (p *listPage) size() int { return len(p.versions) + len(p.prefixes) }

func (p *listPage) add(v *version, latest bool) {
	p.versions = append(p.versions, v)
	p.latest = append(p.latest, latest)
	p.last, p.lastID = v.Key, v.ID
}

func (p *listPage) addPrefix(prefix string) {
	p.prefixes = append(p.prefixes, prefix)
	p.last, p.lastID = prefix, ""
}

// common returns the common prefix that stands for key, or "".
func (q listQuery) common(key string) string {
	if q.delimiter == "" {
		return ""
	}
	at := strings.Index(key[len(q.prefix):], q.delimiter)
	if at < 0 {
		return ""
	}
	return key[:len(q.prefix)+at+len(q.delimiter)]
}

// start is where to seek for the first candidate.
func (q listQuery) start() []byte {
	if q.after >= q.prefix && q.after != "" {
		return afterKey(q.after)
	}
	return []byte(q.prefix)
}

// afterPrefix is where to seek for the first key that does not start with prefix, or nil if there can be none.
func afterPrefix(prefix string) []byte {
	end := []byte(prefix)
	for len(end) > 0 {
		if end[len(end)-1]++; end[len(end)-1] != 0 {
			return end
		}
		end = end[:len(end)-1]
	}
	return nil
}

// list returns the keys of a bucket that a plain GET would find.
func (t tables) list(bucket string, q listQuery) (page listPage, err error) {
	if q.limit <= 0 {
		return page, nil
	}
	c := t.versions(bucket).Cursor()
	k, raw := c.Seek(q.start())
	for k != nil && bytes.HasPrefix(k, []byte(q.prefix)) {
		v, err := load[version](raw)
		if err != nil {
			return page, err
		}
		common := q.common(v.Key)
		next := afterKey(v.Key)
		switch {
		case !v.live():
		case common != "" && common <= q.after:
			next = afterPrefix(common)
		case page.size() == q.limit:
			page.truncated = true
			return page, nil
		case common != "":
			page.addPrefix(common)
			next = afterPrefix(common)
		default:
			page.add(v, true)
		}
		if next == nil {
			return page, nil
		}
		k, raw = c.Seek(next)
	}
	return page, nil
}

// listVersions returns all versions and delete markers of a bucket. afterID continues within the key q.after.
func (t tables) listVersions(bucket string, q listQuery, afterID string) (page listPage, err error) {
	if q.limit <= 0 {
		return page, nil
	}
	start, previous := q.start(), ""
	if afterID != "" {
		marker, err := t.find(bucket, q.after, afterID)
		if err != nil {
			return page, err
		}
		start = append([]byte(q.after), 0)
		if marker != nil {
			start, previous = append(versionKey(marker.Key, marker.Seq), 0), q.after
		}
	}
	c := t.versions(bucket).Cursor()
	k, raw := c.Seek(start)
	for k != nil && bytes.HasPrefix(k, []byte(q.prefix)) {
		v, err := load[version](raw)
		if err != nil {
			return page, err
		}
		common := q.common(v.Key)
		if common != "" && common <= q.after {
			if k, raw = seekPast(c, common); k == nil {
				return page, nil
			}
			continue
		}
		if page.size() == q.limit {
			page.truncated = true
			return page, nil
		}
		if common != "" {
			page.addPrefix(common)
			k, raw = seekPast(c, common)
			continue
		}
		page.add(v, v.Key != previous)
		previous = v.Key
		k, raw = c.Next()
	}
	return page, nil
}

// seeker is what seekPast needs of a cursor.
type seeker interface {
	Seek([]byte) (key, value []byte)
}

func seekPast(c seeker, prefix string) (key, value []byte) {
	next := afterPrefix(prefix)
	if next == nil {
		return nil, nil
	}
	return c.Seek(next)
}

// listUploads returns the multipart uploads in progress, in the order of key and id. Without a delimiter, the page's
// prefixes stay empty.
func (t tables) listUploads(bucket string, q listQuery, afterID string) (uploads []*upload, prefixes []string, truncated bool, err error) {
	if q.limit <= 0 {
		return nil, nil, false, nil
	}
	start := q.start()
	if afterID != "" {
		start = append(uploadKey(q.after, afterID), 0)
	}
	c := t.uploads(bucket).Cursor()
	k, raw := c.Seek(start)
	for k != nil && bytes.HasPrefix(k, []byte(q.prefix)) {
		common := q.common(objectKey(k))
		switch {
		case common != "" && common <= q.after:
			k, raw = seekPast(c, common)
			continue
		case len(uploads)+len(prefixes) == q.limit:
			return uploads, prefixes, true, nil
		case common != "":
			prefixes = append(prefixes, common)
			k, raw = seekPast(c, common)
			continue
		}
		u, err := load[upload](raw)
		if err != nil {
			return nil, nil, false, err
		}
		uploads = append(uploads, u)
		k, raw = c.Next()
	}
	return uploads, prefixes, false, nil
}
