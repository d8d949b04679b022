package job

import (
	"encoding/base64"
	"fmt"
	"net/url"

	"sealreel/pkg/document"
)

// HlsContentProtection encrypts the segments of an HLS playlist for players
// (API: HlsContentProtection). The key material is as in Encryption; when it is
// left out, it is generated. LicenseAcquisitionURL is where players get the key
// unless it is stored with the playlists.
type HlsContentProtection struct {
	Method                string `json:"Method"`
	Key                   string `json:"Key,omitempty"`
	KeyMd5                string `json:"KeyMd5,omitempty"`
	InitializationVector  string `json:"InitializationVector,omitempty"`
	LicenseAcquisitionURL string `json:"LicenseAcquisitionUrl,omitempty"`
	KeyStoragePolicy      string `json:"KeyStoragePolicy"`
}

// Values of KeyStoragePolicy (API: KeyStoragePolicy).
const (
	NoStore              = "NoStore"
	WithVariantPlaylists = "WithVariantPlaylists"
)

// PlayReadyDrm encrypts the media of a playlist for players with a PlayReady
// licence (API: PlayReadyDrm). KeyID is a GUID or 32 hexadecimal digits, the
// most significant byte first.
type PlayReadyDrm struct {
	Format                string `json:"Format"`
	Key                   string `json:"Key"`
	KeyMd5                string `json:"KeyMd5"`
	KeyID                 string `json:"KeyId"`
	InitializationVector  string `json:"InitializationVector,omitempty"`
	LicenseAcquisitionURL string `json:"LicenseAcquisitionUrl"`
}

var keyIDRule = document.Pattern(`(^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$)|(^[0-9A-Fa-f]{32}$)`)

// readContentProtection is nil for an object that asks for nothing. What is
// read besides a problem is for showing only.
func readContentProtection(o *document.Object) *HlsContentProtection {
	if o == nil {
		return nil
	}
	defer o.Close()
	before := o.Problems().Len()
	c := HlsContentProtection{
		Method:                o.String("Method", document.BlankOr(document.OneOf("aes-128"))),
		Key:                   o.Secret("Key", document.BlankOr(base64Rule), document.BlankOr(wrappedKey)),
		KeyMd5:                o.Secret("KeyMd5", document.BlankOr(base64Rule), document.BlankOr(md5Size)),
		InitializationVector:  o.Secret("InitializationVector", document.BlankOr(bytesInBase64(16))),
		LicenseAcquisitionURL: o.String("LicenseAcquisitionUrl", document.Length(0, 512), document.BlankOr(absoluteURL)),
		KeyStoragePolicy:      o.String("KeyStoragePolicy", document.BlankOr(document.OneOf(NoStore, WithVariantPlaylists))),
	}
	if o.Problems().Len() == before && c != (HlsContentProtection{}) {
		checkContentProtection(o, c)
	}
	if c == (HlsContentProtection{}) {
		return nil
	}
	return &c
}

func checkContentProtection(o *document.Object, c HlsContentProtection) {
	if c.Method == "" {
		o.Missing("Method")
	}
	if c.KeyStoragePolicy == "" {
		o.Missing("KeyStoragePolicy")
	}
	given := c.Key != "" || c.KeyMd5 != "" || c.InitializationVector != ""
	if complete := c.Key != "" && c.KeyMd5 != "" && c.InitializationVector != ""; given && !complete {
		o.Problems().Addf(o.Path("Key"), "'%s' must give Key, KeyMd5 and InitializationVector together, or none of them", o.Path(""))
	}
	where := o.Path("LicenseAcquisitionUrl")
	switch {
	case c.KeyStoragePolicy == NoStore && c.LicenseAcquisitionURL == "":
		o.Problems().Addf(where, "'%s' must be given with the KeyStoragePolicy NoStore: players get the key there", where)
	case c.KeyStoragePolicy == WithVariantPlaylists && c.LicenseAcquisitionURL != "":
		o.Problems().Addf(where, "'%s' must be left blank with the KeyStoragePolicy WithVariantPlaylists: players get the key beside the playlists", where)
	}
}

// readPlayReady is nil for an object that asks for nothing.
func readPlayReady(o *document.Object) *PlayReadyDrm {
	if o == nil {
		return nil
	}
	defer o.Close()
	before := o.Problems().Len()
	p := PlayReadyDrm{
		Format:                o.String("Format", document.BlankOr(document.OneOf("microsoft", "discretix-3.0"))),
		Key:                   o.Secret("Key", document.BlankOr(base64Rule), document.BlankOr(wrappedKey)),
		KeyMd5:                o.Secret("KeyMd5", document.BlankOr(base64Rule), document.BlankOr(md5Size)),
		KeyID:                 o.String("KeyId", document.BlankOr(keyIDRule)),
		InitializationVector:  o.Secret("InitializationVector", document.BlankOr(bytesInBase64(8))),
		LicenseAcquisitionURL: o.String("LicenseAcquisitionUrl", document.Length(0, 512), document.BlankOr(absoluteURL)),
	}
	if p == (PlayReadyDrm{}) {
		return nil
	}
	if o.Problems().Len() == before {
		checkPlayReady(o, p)
	}
	return &p
}

// checkPlayReady: the licence server has the key, so it can't be generated, and
// all that names it must be given.
func checkPlayReady(o *document.Object, p PlayReadyDrm) {
	for _, member := range []struct{ name, value string }{
		{"Format", p.Format}, {"Key", p.Key}, {"KeyMd5", p.KeyMd5}, {"KeyId", p.KeyID}, {"LicenseAcquisitionUrl", p.LicenseAcquisitionURL},
	} {
		if member.value == "" {
			o.Missing(member.name)
		}
	}
}

func absoluteURL(value string) string {
	if u, err := url.Parse(value); err != nil || !u.IsAbs() || u.Host == "" {
		return "Member must be an absolute URL, such as https://keys.example.com/key"
	}
	return ""
}

func bytesInBase64(n int) document.Rule {
	return func(value string) string {
		if raw, err := base64.StdEncoding.DecodeString(value); err != nil || len(raw) != n {
			return fmt.Sprintf("Member must be the base64 of %d bytes", n)
		}
		return ""
	}
}
