package s3

import (
	"context"
	"maps"
)

// GetObjectTagging implements backend.Backend.
func (s *store) GetObjectTagging(_ context.Context, bucket, key, id string) (map[string]string, error) {
	v, err := s.look(bucket, key, id)
	if err != nil {
		return nil, s.answerable("GetObjectTagging", err)
	}
	if v.Attributes.Tags == nil {
		return map[string]string{}, nil
	}
	return v.Attributes.Tags, nil
}

// PutObjectTagging implements backend.Backend. Tags belong to a version, and changing them makes no new one.
func (s *store) PutObjectTagging(_ context.Context, bucket, key, id string, tags map[string]string) error {
	err := s.index.update(func(t tables) error {
		v, err := t.locate(bucket, key, id)
		if err != nil {
			return err
		}
		v.Attributes.Tags = maps.Clone(tags)
		return t.putVersion(bucket, v)
	})
	return s.answerable("PutObjectTagging", err)
}

// DeleteObjectTagging implements backend.Backend.
func (s *store) DeleteObjectTagging(ctx context.Context, bucket, key, id string) error {
	return s.PutObjectTagging(ctx, bucket, key, id, nil)
}
