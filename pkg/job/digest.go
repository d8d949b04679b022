package job

import (
	"crypto/md5"
	"encoding/base64"
	"reflect"
)

// HideDigests blanks, in place, every KeyMd5 of a job that is not plainly the MD5
// of its Key, the KMS ciphertext. It is for jobs that can't go on: what stands
// there may be the digest of the plaintext key, but somebody may also have put
// the key itself there, which looks the same, and a job's record is kept.
func HideDigests(j *Job) { hideDigests(reflect.ValueOf(j)) }

// HideDigest is the element as HideDigests leaves it.
func (e Encryption) HideDigest() Encryption {
	ciphertext, err := base64.StdEncoding.DecodeString(e.Key)
	sum := md5.Sum(ciphertext) // the API's digest, which guards against mistakes and not against attackers
	if err != nil || e.KeyMd5 != base64.StdEncoding.EncodeToString(sum[:]) {
		e.KeyMd5 = ""
	}
	return e
}

func hideDigests(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			hideDigests(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			hideDigests(v.Index(i))
		}
	case reflect.Struct:
		if e, ok := v.Interface().(Encryption); ok {
			v.Set(reflect.ValueOf(e.HideDigest()))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				hideDigests(v.Field(i))
			}
		}
	}
}
