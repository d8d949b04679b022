package crypt

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
)

// ElementSuffix is how the name of a file ends that says how the file of the
// rest of the name is encrypted.
const ElementSuffix = ".encryption.json"

// maxElement is the longest file that an element is read from, in bytes: KMS
// wraps a key in 6144 at most.
const maxElement = 32 << 10

// ReadElement reads an Encryption element, of which any member may be missing,
// from a file.
func ReadElement(name string) (job.Encryption, error) {
	f, err := os.Open(name)
	if err != nil {
		return job.Encryption{}, err
	}
	doc, err := io.ReadAll(io.LimitReader(f, maxElement+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return job.Encryption{}, err
	}
	e, err := parse(doc)
	if err != nil {
		return e, fmt.Errorf("%s is no Encryption element (Mode, Key, KeyMd5 and InitializationVector): %w", name, err)
	}
	return e, nil
}

// parse quotes nothing of the document but names of members: whatever it is, it
// may hold a key.
func parse(doc []byte) (e job.Encryption, err error) {
	if len(doc) > maxElement {
		return e, fmt.Errorf("it has more than %d bytes", maxElement)
	}
	decoder := json.NewDecoder(bytes.NewReader(doc))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e); err != nil {
		return job.Encryption{}, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return job.Encryption{}, errors.New("something follows its JSON object")
	}
	return e, nil
}

// In is the element in the mode, which it may leave to the caller or name
// itself; when neither does, it is otherwise.
func In(e job.Encryption, mode, otherwise string) (job.Encryption, error) {
	switch {
	case mode != "" && e.Mode != "" && mode != e.Mode:
		return e, fmt.Errorf("the element says that its mode is %s, and --mode says %s: leave one out", e.Mode, mode)
	case e.Mode != "":
	case mode != "":
		e.Mode = mode
	default:
		e.Mode = otherwise
	}
	if e.Mode == "" {
		return e, errors.New("the element has no Mode: say it with --mode")
	}
	return e, CheckMode(e.Mode)
}

// Check holds a complete element against the rules that jobs hold theirs
// against, so that a plaintext key in the wrong place goes nowhere.
func Check(e job.Encryption) error {
	doc, err := json.Marshal(struct{ Encryption job.Encryption }{e})
	if err != nil {
		return err
	}
	o, err := document.Parse(doc, 2*maxElement)
	if err != nil {
		return err
	}
	job.ReadInputEncryption(o.Object("Encryption"))
	return o.Problems().Err()
}

// CreateElement writes an element to a new file.
func CreateElement(name string, e job.Encryption) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists already, and another file may need it to be opened: name a new one with --encryption-out", name)
	}
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(name))
		}
	}()
	return errors.Join(WriteElement(f, e), f.Sync()) // without it the file is lost
}

// Element is what an Encryption element has of a wrapped key.
func Element(wrapped []byte) job.Encryption {
	sum := md5.Sum(wrapped)
	return job.Encryption{Key: base64.StdEncoding.EncodeToString(wrapped), KeyMd5: base64.StdEncoding.EncodeToString(sum[:])}
}

// WriteElement writes an element, or what there is of it.
func WriteElement(w io.Writer, e job.Encryption) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(e)
}
