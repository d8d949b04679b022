package seal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"sync"

	"sealreel/pkg/job"
	"sealreel/pkg/shield"
)

// Material is what one encryption element comes to: the mode and, where the
// mode takes one, the key. The key belongs to the Keyring that made it.
type Material struct {
	Mode Mode
	Key  Key
	IV   []byte // where the mode takes one
}

// Keyring holds the unwrapped keys of one invocation over one pipeline. It is
// safe for concurrent use.
type Keyring struct {
	keys    Keys
	keyARN  string
	context map[string]string

	mu     sync.Mutex
	held   map[[sha256.Size]byte]*held // by the hash of the wrapped key and its context
	closed bool
}

// held is one key. Its lock is held while the key service is asked, so that
// whoever needs the same key waits for the one answer.
type held struct {
	mu  sync.Mutex
	key Key
}

// NewKeyring returns an empty keyring that unwraps with the KMS key keyARN,
// or with any when it is empty, and generates with keyARN. All its calls are
// made under the encryption context.
func NewKeyring(keys Keys, keyARN string, encryptionContext map[string]string) *Keyring {
	return &Keyring{keys: keys, keyARN: keyARN, context: maps.Clone(encryptionContext), held: map[[sha256.Size]byte]*held{}}
}

var errClosed = errors.New("the keyring is closed")

// Close wipes every key. The materials must no longer be in use. Closing again
// does nothing.
func (r *Keyring) Close() {
	r.mu.Lock()
	r.closed = true
	entries := r.held
	r.held = nil
	r.mu.Unlock()
	for _, h := range entries {
		h.mu.Lock()
		h.key.Wipe()
		h.mu.Unlock()
	}
}

// place returns the entry of a key that is wrapped under the context.
func (r *Keyring) place(ciphertext []byte, context map[string]string) (*held, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errClosed
	}
	digest := sha256.New()
	digest.Write(ciphertext)
	digest.Write([]byte(contextText(context)))
	id := [sha256.Size]byte(digest.Sum(nil))
	if r.held[id] == nil {
		r.held[id] = new(held)
	}
	return r.held[id], nil
}

// keep holds an unwrapped key. It wipes the key instead when the keyring was
// closed meanwhile, or holds it already. The entry's lock is held.
func (r *Keyring) keep(h *held, key Key) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		key.Wipe()
		return errClosed
	}
	if !h.key.IsZero() {
		key.Wipe()
		return nil
	}
	h.key = key
	return nil
}

// Unwrap checks an element and unwraps its key. What is wrong with the element
// is a *job.Failure (4017, 4018, or 1000 for what a parser should have
// refused); any other error, such as a key service that can't be reached, may
// pass when tried again. A mode whose objects have envelopes has no key that
// belongs to the element: see Open.
func (r *Keyring) Unwrap(ctx context.Context, e job.Encryption) (*Material, error) {
	mode, err := ModeOf(e.Mode)
	if err != nil {
		return nil, err
	}
	if err := checkMembers(mode, e); err != nil {
		return nil, err
	}
	if mode.Enveloped {
		return nil, fmt.Errorf("in mode %s the key is in each object's envelope", mode.Name)
	}
	if !mode.TakesKey() {
		return &Material{Mode: mode}, nil
	}
	ciphertext, err := base64.StdEncoding.DecodeString(e.Key)
	if err != nil {
		return nil, job.Fail(job.CodeUnwrapKey, "Key is not valid base64; give the base64 of the CiphertextBlob that KMS returned")
	}
	key, err := r.unwrap(ctx, ciphertext, r.context, elementHint)
	if err != nil {
		return nil, err
	}
	if err := checkMD5(e.KeyMd5, ciphertext, key); err != nil {
		return nil, err
	}
	if !mode.Takes(key.Bits()) {
		return nil, job.KeyLength(key.Bits(), md5Of(ciphertext), mode.Name)
	}
	iv, err := ivOf(mode, e)
	if err != nil {
		return nil, err
	}
	return &Material{Mode: mode, Key: key, IV: iv}, nil
}

// unwrap returns the key that a ciphertext wraps under the context, from the
// ring when it is there. Only successes are kept. The hint says what to do about
// a refusal.
func (r *Keyring) unwrap(ctx context.Context, ciphertext []byte, context map[string]string, hint func(refusal) string) (Key, error) {
	h, err := r.place(ciphertext, context)
	if err != nil {
		return Key{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.key.IsZero() {
		return h.key, nil
	}
	var key Key
	shield.Do(func() { key, err = r.decrypt(ctx, ciphertext, context, hint) })
	if err != nil {
		return Key{}, err
	}
	if err := r.keep(h, key); err != nil {
		return Key{}, err
	}
	return key, nil
}

// decrypt asks the key service for a key.
func (r *Keyring) decrypt(ctx context.Context, ciphertext []byte, context map[string]string, hint func(refusal) string) (Key, error) {
	plaintext, err := r.keys.Decrypt(ctx, ciphertext, r.keyARN, context)
	if err != nil {
		return Key{}, r.unwrapFailure(err, md5Of(ciphertext), hint)
	}
	defer clear(plaintext)
	return keyOf(plaintext, md5Of(ciphertext))
}

// NewIV is a random InitializationVector for the mode.
func NewIV(m Mode) []byte {
	iv := make([]byte, m.IVSize)
	rand.Read(iv) // never fails (crypto/rand)
	return iv
}

// Generate makes a key for an output, or for the job's work files, that brings
// none, and returns it wrapped, with the MD5 of the ciphertext and, where the
// mode takes one, a random InitializationVector. A mode without
// a key needs none: the element then holds the mode alone. Failures are as for
// Unwrap, with code 4019.
func (r *Keyring) Generate(ctx context.Context, mode string) (job.Encryption, error) {
	m, err := ModeOf(mode)
	if err != nil {
		return job.Encryption{}, err
	}
	return r.GenerateBits(ctx, mode, m.GenerateBits)
}

// GenerateBits is Generate for whoever wants a key of another size than outputs
// get. A size that the mode does not take is a *job.Failure.
func (r *Keyring) GenerateBits(ctx context.Context, mode string, bits int) (job.Encryption, error) {
	m, err := ModeOf(mode)
	if err != nil {
		return job.Encryption{}, err
	}
	if !m.TakesKey() {
		return job.Encryption{Mode: mode}, nil
	}
	if !m.Takes(bits) {
		return job.Encryption{}, job.Fail(job.CodeKeyLength, "encryption mode %q takes no keys of %d bits", mode, bits)
	}
	_, ciphertext, err := r.generate(ctx, bits, r.context)
	if err != nil {
		return job.Encryption{}, err
	}
	e := job.Encryption{Mode: mode, Key: base64.StdEncoding.EncodeToString(ciphertext), KeyMd5: md5Of(ciphertext)}
	if m.IVSize > 0 {
		e.InitializationVector = base64.StdEncoding.EncodeToString(NewIV(m))
	}
	return e, nil
}

// generate makes a key of that many bits under the context, and puts it into the
// ring.
func (r *Keyring) generate(ctx context.Context, bits int, context map[string]string) (Key, []byte, error) {
	if r.keyARN == "" {
		return Key{}, nil, job.NoGenerator()
	}
	var (
		key        Key
		ciphertext []byte
		err        error
	)
	shield.Do(func() { key, ciphertext, err = r.ask(ctx, bits, context) })
	if err != nil {
		return Key{}, nil, err
	}
	h, err := r.place(ciphertext, context)
	if err != nil {
		key.Wipe()
		return Key{}, nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := r.keep(h, key); err != nil {
		return Key{}, nil, err
	}
	return h.key, ciphertext, nil
}

// ask asks the key service for a new key.
func (r *Keyring) ask(ctx context.Context, bits int, context map[string]string) (Key, []byte, error) {
	plaintext, ciphertext, err := r.keys.Generate(ctx, r.keyARN, bits/8, context)
	if err != nil {
		return Key{}, nil, r.generateFailure(err)
	}
	defer clear(plaintext)
	if key, err := NewKey(plaintext); err == nil && key.Bits() == bits {
		return key, ciphertext, nil
	}
	return Key{}, nil, job.Fail(job.CodeGenerateKey, "the KMS key ARN %s made a key of %d bits, not of %d", r.keyARN, 8*len(plaintext), bits)
}
