// Package objecttest is object storage in memory for tests, with the answers
// of package object and conditional writes that are atomic.
package objecttest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"sealreel/pkg/object"
)

// Memory is a store of small objects. The zero value is empty and ready.
type Memory struct {
	// Before, when set, is called ahead of each call with its name and key; an
	// error that it returns is the call's answer. It may itself use the store.
	Before func(call, key string) error

	mu      sync.Mutex
	objects map[string]stored
	writes  int
}

type stored struct {
	body []byte
	etag string
}

func (m *Memory) before(call, key string) error {
	if m.Before == nil {
		return nil
	}
	return m.Before(call, key)
}

func (m *Memory) put(name string, body []byte) {
	if m.objects == nil {
		m.objects = map[string]stored{}
	}
	m.writes++
	m.objects[name] = stored{slices.Clone(body), fmt.Sprintf("%q", fmt.Sprint(m.writes))}
}

// Get returns an object and its entity tag.
func (m *Memory) Get(_ context.Context, bucket, key string) ([]byte, string, error) {
	if err := m.before("Get", key); err != nil {
		return nil, "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[bucket+"/"+key]
	if !ok {
		return nil, "", fmt.Errorf("%s in %s: %w", key, bucket, object.ErrNotExist)
	}
	return slices.Clone(o.body), o.etag, nil
}

// Create stores a new object.
func (m *Memory) Create(_ context.Context, bucket, key string, body []byte) error {
	if err := m.before("Create", key); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.objects[bucket+"/"+key]; ok {
		return fmt.Errorf("%s in %s: %w", key, bucket, object.ErrExists)
	}
	m.put(bucket+"/"+key, body)
	return nil
}

// Replace stores a new version of the object with the entity tag.
func (m *Memory) Replace(_ context.Context, bucket, key string, body []byte, etag string) error {
	if err := m.before("Replace", key); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if o, ok := m.objects[bucket+"/"+key]; !ok || o.etag != etag {
		return fmt.Errorf("%s in %s: %w", key, bucket, object.ErrChanged)
	}
	m.put(bucket+"/"+key, body)
	return nil
}

// Keys yields the keys with the prefix in order.
func (m *Memory) Keys(_ context.Context, bucket, prefix string) iter.Seq2[string, error] {
	return m.KeysAfter(context.Background(), bucket, prefix, "")
}

// KeysAfter yields those that come after a key.
func (m *Memory) KeysAfter(_ context.Context, bucket, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := m.before("Keys", prefix); err != nil {
			yield("", err)
			return
		}
		m.mu.Lock()
		var keys []string
		for name := range m.objects {
			if key, ok := strings.CutPrefix(name, bucket+"/"); ok && strings.HasPrefix(key, prefix) && key > after {
				keys = append(keys, key)
			}
		}
		m.mu.Unlock()
		slices.Sort(keys)
		for _, key := range keys {
			if !yield(key, nil) {
				return
			}
		}
	}
}

// Delete removes an object.
func (m *Memory) Delete(_ context.Context, bucket, key string) error {
	if err := m.before("Delete", key); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, bucket+"/"+key)
	return nil
}
