package s3

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/versity/versitygw/s3err"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// The index is one bbolt file. Its tables:
//
//	buckets   bucket name                        → bucketRecord
//	versions  one table a bucket: key NUL ^Seq   → version, so the newest of a key comes first
//	uploads   one table a bucket: key NUL id     → upload
//	parts     one table an upload: number        → part
//
// Keys hold no NUL (validKey), so all versions of a key are neighbours and keys come in the order of their bytes, which
// is the order S3 lists them in.
var (
	bucketsTable  = []byte("buckets")
	versionsTable = []byte("versions")
	uploadsTable  = []byte("uploads")
	partsTable    = []byte("parts")
)

type index struct{ db *bolt.DB }

func openIndex(path string) (*index, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%s is in use by another process: stop that one, or choose another directory", path)
	}
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{bucketsTable, versionsTable, uploadsTable, partsTable} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &index{db: db}, nil
}

func (ix *index) close() error { return ix.db.Close() }

// view runs f on a state of the index that does not change meanwhile.
func (ix *index) view(f func(tables) error) error {
	return ix.db.View(func(tx *bolt.Tx) error { return f(tables{tx}) })
}

// update runs f alone; what it did becomes visible at once when it returns nil, and never otherwise.
func (ix *index) update(f func(tables) error) error {
	return ix.db.Update(func(tx *bolt.Tx) error { return f(tables{tx}) })
}

// tables is the index within one transaction.
type tables struct{ tx *bolt.Tx }

func load[T any](raw []byte) (*T, error) {
	record := new(T)
	if err := json.Unmarshal(raw, record); err != nil {
		return nil, fmt.Errorf("damaged record in the index: %w", err)
	}
	return record, nil
}

func save(table *bolt.Bucket, key []byte, record any) error {
	raw, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return table.Put(key, raw)
}

// bucket returns the record of a bucket, or NoSuchBucket.
func (t tables) bucket(name string) (*bucketRecord, error) {
	raw := t.tx.Bucket(bucketsTable).Get([]byte(name))
	if raw == nil {
		return nil, s3err.GetBucketErr(s3err.ErrNoSuchBucket, name)
	}
	return load[bucketRecord](raw)
}

func (t tables) buckets() ([]*bucketRecord, error) {
	var all []*bucketRecord
	err := t.tx.Bucket(bucketsTable).ForEach(func(_, raw []byte) error {
		record, err := load[bucketRecord](raw)
		all = append(all, record)
		return err
	})
	return all, err
}

func (t tables) putBucket(record *bucketRecord) error {
	for _, table := range [][]byte{versionsTable, uploadsTable} {
		if _, err := t.tx.Bucket(table).CreateBucketIfNotExists([]byte(record.Name)); err != nil {
			return err
		}
	}
	return save(t.tx.Bucket(bucketsTable), []byte(record.Name), record)
}

// dropBucket forgets a bucket and its uploads, and returns the blobs of their parts. Objects must be gone.
func (t tables) dropBucket(name string) ([]blob, error) {
	if k, _ := t.versions(name).Cursor().First(); k != nil {
		return nil, s3err.GetBucketErr(s3err.ErrBucketNotEmpty, name)
	}
	var gone []blob
	err := t.uploads(name).ForEach(func(_, raw []byte) error {
		record, err := load[upload](raw)
		if err != nil {
			return err
		}
		parts, err := t.dropParts(record.ID)
		gone = append(gone, parts...)
		return err
	})
	return gone, errors.Join(err,
		t.tx.Bucket(versionsTable).DeleteBucket([]byte(name)),
		t.tx.Bucket(uploadsTable).DeleteBucket([]byte(name)),
		t.tx.Bucket(bucketsTable).Delete([]byte(name)))
}

func (t tables) versions(bucket string) *bolt.Bucket {
	return t.tx.Bucket(versionsTable).Bucket([]byte(bucket))
}

func (t tables) uploads(bucket string) *bolt.Bucket {
	return t.tx.Bucket(uploadsTable).Bucket([]byte(bucket))
}

// nextSeq returns a number greater than any before it, restarts included.
func (t tables) nextSeq() (uint64, error) { return t.tx.Bucket(versionsTable).NextSequence() }

func versionKey(key string, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte(key), 0), ^seq)
}

// objectKey returns the object's key from a key of the versions or uploads table.
func objectKey(k []byte) string {
	name, _, _ := bytes.Cut(k, []byte{0})
	return string(name)
}

// afterKey is where to seek for the next object's key.
func afterKey(key string) []byte { return append([]byte(key), 1) }

// each calls visit for the versions of a key, newest first, until it returns false.
func (t tables) each(bucket, key string, visit func(*version) bool) error {
	prefix := append([]byte(key), 0)
	c := t.versions(bucket).Cursor()
	for k, raw := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, raw = c.Next() {
		v, err := load[version](raw)
		if err != nil {
			return err
		}
		if !visit(v) {
			return nil
		}
	}
	return nil
}

// newest returns the newest version of a key, which may be a delete marker, or nil.
func (t tables) newest(bucket, key string) (found *version, err error) {
	err = t.each(bucket, key, func(v *version) bool { found = v; return false })
	return found, err
}

// find returns the version of a key with that id, or nil.
func (t tables) find(bucket, key, id string) (found *version, err error) {
	err = t.each(bucket, key, func(v *version) bool {
		if v.ID == id {
			found = v
		}
		return found == nil
	})
	return found, err
}

func (t tables) putVersion(bucket string, v *version) error {
	return save(t.versions(bucket), versionKey(v.Key, v.Seq), v)
}

func (t tables) dropVersion(bucket string, v *version) error {
	return t.versions(bucket).Delete(versionKey(v.Key, v.Seq))
}

func uploadKey(key, id string) []byte { return append(append([]byte(key), 0), id...) }

// upload returns a multipart upload in progress, or NoSuchUpload.
func (t tables) upload(bucket, key, id string) (*upload, error) {
	if _, err := t.bucket(bucket); err != nil {
		return nil, err
	}
	raw := t.uploads(bucket).Get(uploadKey(key, id))
	if raw == nil {
		return nil, s3err.GetNoSuchUploadErr(id)
	}
	return load[upload](raw)
}

func (t tables) putUpload(bucket string, u *upload) error {
	if _, err := t.tx.Bucket(partsTable).CreateBucketIfNotExists([]byte(u.ID)); err != nil {
		return err
	}
	return save(t.uploads(bucket), uploadKey(u.Key, u.ID), u)
}

// dropUpload forgets an upload and returns the blobs of its parts.
func (t tables) dropUpload(bucket string, u *upload) ([]blob, error) {
	gone, err := t.dropParts(u.ID)
	return gone, errors.Join(err, t.uploads(bucket).Delete(uploadKey(u.Key, u.ID)))
}

func (t tables) dropParts(uploadID string) ([]blob, error) {
	parts, err := t.parts(uploadID)
	if err != nil {
		return nil, err
	}
	gone := make([]blob, len(parts))
	for i, p := range parts {
		gone[i] = p.Blob
	}
	return gone, t.tx.Bucket(partsTable).DeleteBucket([]byte(uploadID))
}

func partKey(number int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(number)) }

// part returns a part of an upload, or nil.
func (t tables) part(uploadID string, number int32) (*part, error) {
	raw := t.tx.Bucket(partsTable).Bucket([]byte(uploadID)).Get(partKey(number))
	if raw == nil {
		return nil, nil
	}
	return load[part](raw)
}

func (t tables) putPart(uploadID string, p *part) error {
	return save(t.tx.Bucket(partsTable).Bucket([]byte(uploadID)), partKey(p.Number), p)
}

// parts returns the parts of an upload by their numbers.
func (t tables) parts(uploadID string) ([]*part, error) {
	var all []*part
	err := t.tx.Bucket(partsTable).Bucket([]byte(uploadID)).ForEach(func(_, raw []byte) error {
		p, err := load[part](raw)
		all = append(all, p)
		return err
	})
	return all, err
}

// blobsInUse returns the ids of all blobs that some record refers to.
func (t tables) blobsInUse() (map[string]bool, error) {
	inUse := map[string]bool{}
	err := t.tx.Bucket(versionsTable).ForEachBucket(func(bucket []byte) error {
		return t.versions(string(bucket)).ForEach(func(_, raw []byte) error {
			v, err := load[version](raw)
			if err != nil {
				return err
			}
			for _, p := range v.Parts {
				inUse[p.Blob.ID] = true
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	err = t.tx.Bucket(partsTable).ForEachBucket(func(id []byte) error {
		parts, err := t.parts(string(id))
		for _, p := range parts {
			inUse[p.Blob.ID] = true
		}
		return err
	})
	return inUse, err
}
