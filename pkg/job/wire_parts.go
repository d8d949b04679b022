package job

// The wire types of what outputs, inputs and playlists are made of.
type (
	wireClip struct {
		TimeSpan *wireTimeSpan `json:"TimeSpan"`
	}
	wireWatermark struct {
		PresetWatermarkID text            `json:"PresetWatermarkId"`
		InputKey          text            `json:"InputKey"`
		Encryption        *wireEncryption `json:"Encryption"`
	}
	wireAlbumArt struct {
		MergePolicy text          `json:"MergePolicy"`
		Artwork     []wireArtwork `json:"Artwork"`
	}
	wireArtwork struct {
		InputKey       text            `json:"InputKey"`
		MaxWidth       text            `json:"MaxWidth"`
		MaxHeight      text            `json:"MaxHeight"`
		SizingPolicy   text            `json:"SizingPolicy"`
		PaddingPolicy  text            `json:"PaddingPolicy"`
		AlbumArtFormat text            `json:"AlbumArtFormat"`
		Encryption     *wireEncryption `json:"Encryption"`
	}
	// wireCaptions serves inputs too, which have no formats.
	wireCaptions struct {
		MergePolicy    text                `json:"MergePolicy"`
		CaptionSources []wireCaptionSource `json:"CaptionSources"`
		CaptionFormats []wireCaptionFormat `json:"CaptionFormats,omitzero"`
	}
	wireCaptionSource struct {
		Key        text            `json:"Key"`
		Language   text            `json:"Language"`
		TimeOffset text            `json:"TimeOffset"`
		Label      text            `json:"Label"`
		Encryption *wireEncryption `json:"Encryption"`
	}
	wireCaptionFormat struct {
		Format     text            `json:"Format"`
		Pattern    text            `json:"Pattern"`
		Encryption *wireEncryption `json:"Encryption"`
	}
	wireProtected struct {
		Method                text `json:"Method"`
		Key                   text `json:"Key"`
		KeyMd5                text `json:"KeyMd5"`
		InitializationVector  text `json:"InitializationVector"`
		LicenseAcquisitionURL text `json:"LicenseAcquisitionUrl"`
		KeyStoragePolicy      text `json:"KeyStoragePolicy"`
	}
	wirePlayReady struct {
		Format                text `json:"Format"`
		Key                   text `json:"Key"`
		KeyMd5                text `json:"KeyMd5"`
		KeyID                 text `json:"KeyId"`
		InitializationVector  text `json:"InitializationVector"`
		LicenseAcquisitionURL text `json:"LicenseAcquisitionUrl"`
	}
)

func timeSpanToWire(s *TimeSpan) *wireTimeSpan {
	if s == nil {
		return nil
	}
	return &wireTimeSpan{text(s.StartTime), text(s.Duration)}
}

// clipsToWire is null for an output without clips, unlike other lists.
func clipsToWire(clips []Clip) []wireClip {
	var all []wireClip
	for _, c := range clips {
		all = append(all, wireClip{timeSpanToWire(c.TimeSpan)})
	}
	return all
}

func watermarksToWire(watermarks []Watermark) []wireWatermark {
	all := []wireWatermark{}
	for _, w := range watermarks {
		all = append(all, wireWatermark{text(w.PresetWatermarkID), text(w.InputKey), encryptionToWire(w.Encryption)})
	}
	return all
}

func albumArtToWire(a *AlbumArt) *wireAlbumArt {
	if a == nil {
		return nil
	}
	w := &wireAlbumArt{MergePolicy: text(a.MergePolicy), Artwork: []wireArtwork{}}
	for _, p := range a.Artwork {
		w.Artwork = append(w.Artwork, wireArtwork{
			text(p.InputKey), text(p.MaxWidth), text(p.MaxHeight), text(p.SizingPolicy), text(p.PaddingPolicy), text(p.AlbumArtFormat),
			encryptionToWire(p.Encryption),
		})
	}
	return w
}

func sourcesToWire(sources []CaptionSource) []wireCaptionSource {
	all := []wireCaptionSource{}
	for _, s := range sources {
		all = append(all, wireCaptionSource{text(s.Key), text(s.Language), text(s.TimeOffset), text(s.Label), encryptionToWire(s.Encryption)})
	}
	return all
}

func captionsToWire(c *Captions) *wireCaptions {
	if c == nil {
		return nil
	}
	w := &wireCaptions{MergePolicy: text(c.MergePolicy), CaptionSources: sourcesToWire(c.CaptionSources), CaptionFormats: []wireCaptionFormat{}}
	for _, f := range c.CaptionFormats {
		w.CaptionFormats = append(w.CaptionFormats, wireCaptionFormat{text(f.Format), text(f.Pattern), encryptionToWire(f.Encryption)})
	}
	return w
}

func protectionToWire(c *HlsContentProtection) *wireProtected {
	if c == nil {
		return nil
	}
	return &wireProtected{text(c.Method), text(c.Key), text(c.KeyMd5), text(c.InitializationVector), text(c.LicenseAcquisitionURL), text(c.KeyStoragePolicy)}
}

func playReadyToWire(p *PlayReadyDrm) *wirePlayReady {
	if p == nil {
		return nil
	}
	return &wirePlayReady{text(p.Format), text(p.Key), text(p.KeyMd5), text(p.KeyID), text(p.InitializationVector), text(p.LicenseAcquisitionURL)}
}
