package vault

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"sealreel/pkg/pipeline"
	"sealreel/pkg/s3store"
)

// unshared are the buckets that took objects without the Permissions of the
// pipeline only, with S3's reason.
type unshared struct {
	mu      sync.Mutex
	reasons map[string]string
}

// granting are the Permissions to ask for: those of the target until its bucket
// has refused them once.
func (s *Session) granting(t s3store.UploadTarget) []pipeline.Permission {
	s.unshared.mu.Lock()
	defer s.unshared.mu.Unlock()
	if _, refused := s.unshared.reasons[t.Bucket]; refused {
		return nil
	}
	return t.Permissions
}

func (s *Session) refused(bucket, reason string) {
	if reason == "" {
		return
	}
	s.unshared.mu.Lock()
	defer s.unshared.mu.Unlock()
	if s.unshared.reasons == nil {
		s.unshared.reasons = map[string]string{}
	}
	s.unshared.reasons[bucket] = reason
}

// Warnings are what whoever reads the job should know of what was stored in the
// session.
func (s *Session) Warnings() []string {
	s.unshared.mu.Lock()
	defer s.unshared.mu.Unlock()
	var all []string
	for _, bucket := range slices.Sorted(maps.Keys(s.unshared.reasons)) {
		all = append(all, withoutPermissions(bucket, s.unshared.reasons[bucket]))
	}
	return all
}

// withoutPermissions says why objects have not the Permissions of the pipeline,
// and what to do.
func withoutPermissions(bucket, reason string) string {
	advice := "see what S3 says of that error"
	switch reason {
	case "AccessControlListNotSupported":
		advice = "the bucket does not allow ACLs: give rights by a bucket policy, or set its Object Ownership to ObjectWriter"
	case "AccessDenied":
		advice = "the pipeline's Role needs s3:PutObjectAcl there, and the bucket's public access block must let the grantees be"
	case "MethodNotAllowed", "UnresolvableGrantByEmailAddress", "InvalidArgument":
		advice = "S3 knows a grantee not, or not any more, as it is with e-mail addresses: name accounts by their canonical ids"
	}
	return fmt.Sprintf("Objects in the bucket %s were stored without the Permissions of the pipeline, which S3 refused (%s): %s; or take the Permissions away from the pipeline.",
		bucket, reason, advice)
}
