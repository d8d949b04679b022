package preset

import (
	"encoding/json"

	"sealreel/pkg/document"
)

// MarshalWire is a preset as ReadPreset answered it: {"Preset":{...}}, without the
// members that are unset. ParseNew reads it.
func MarshalWire(p *Preset) ([]byte, error) {
	return json.Marshal(struct{ Preset *Preset }{p})
}

// MarshalWireNew is a preset as CreatePreset answered it, with its Warning, null
// for none.
func MarshalWireNew(p *Preset, warning string) ([]byte, error) {
	return json.Marshal(struct {
		Preset  *Preset
		Warning document.Text
	}{p, document.Text(warning)})
}

// MarshalWireList is presets as ListPresets answered them, on one page.
func MarshalWireList(presets []*Preset) ([]byte, error) {
	return json.Marshal(struct {
		Presets       []*Preset
		NextPageToken document.Text
	}{Presets: append([]*Preset{}, presets...)})
}
