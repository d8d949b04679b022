package kmskeys

import (
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"sealreel/pkg/seal"
)

// near refuses a key whose ARN names another region than the one whose KMS is
// asked, with a *seal.KeyRegionError: KMS would refuse it too, and say less.
func (k *Keys) near(keyARN string) error {
	named, err := arn.Parse(keyARN)
	here := k.client.Options().Region
	if err != nil || here == "" || named.Region == "" || named.Region == here {
		return nil // also a key that is named by its id or alias, which is of here
	}
	return &seal.KeyRegionError{KeyARN: keyARN, KeyRegion: named.Region, Region: here}
}
