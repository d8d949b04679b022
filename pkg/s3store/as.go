package s3store

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// As is the same S3 as somebody else may use it: its requests are signed with
// the credentials. Connections are shared, and what is known of regions.
func (s *Store) As(credentials aws.CredentialsProvider) *Store {
	other := &Store{partSize: s.partSize, maxParts: s.maxParts, named: s.named, regions: s.regions}
	other.blocks.New = s.blocks.New
	other.client = s3.New(s.client.Options(), func(o *s3.Options) { o.Credentials = credentials })
	return other
}
