package kmskeys

import (
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"sealreel/pkg/seal"
)

// near refuses a key whose ARN names another region than the one whose KMS is
// asked, with a *seal.KeyRegionError: KMS would refuse it too, and say less.
func (k *Keys) near(keyARN string) error {
	here := k.client.Options().Region
	if !arn.IsARN(keyARN) || here == "" {
		return nil // a key that is named by its id or alias is of here
	}
	named, _ := arn.Parse(keyARN) // never fails for what IsARN
	if named.Region == "" || named.Region == here {
		return nil
	}
	return &seal.KeyRegionError{KeyARN: keyARN, KeyRegion: named.Region, Region: here}
}
