package preset

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"sealreel/pkg/job"
)

// data holds one system preset a file, named by its id.
//
//go:embed data/*.json
var data embed.FS

// System returns a copy of the system preset with the id, and false when this
// version has none of that id. Its Arn is empty, since the service's named the
// reader's own account.
func System(id string) (*Preset, bool) {
	if !job.ValidID(id) {
		return nil, false
	}
	doc, err := data.ReadFile("data/" + id + ".json")
	if err != nil {
		return nil, false
	}
	p, err := Parse(doc)
	if err != nil {
		panic(fmt.Sprintf("preset: embedded preset %s: %v", id, err))
	}
	return p, true
}

// SystemIDs lists the ids that System knows, in order.
func SystemIDs() []string {
	entries, err := data.ReadDir("data")
	if err != nil {
		panic(fmt.Sprintf("preset: embedded presets: %v", err))
	}
	var ids []string
	for _, e := range entries {
		ids = append(ids, strings.TrimSuffix(e.Name(), ".json"))
	}
	slices.Sort(ids)
	return ids
}

// withdrawn are presets that Elastic Transcoder replaced by others; they have
// ids of its present series.
var withdrawn = map[string]string{
	"100010": "100020", "100030": "100020", "100100": "100080", "100140": "100141",
	"000060": "000061", "200070": "200071",
}

const (
	series      = "1351620000001-"
	firstSeries = "1351620000000-" // withdrawn as a whole
)

// Successor is the system preset to use for one that the service withdrew, and
// false for any other id. The settings of the two differ.
func Successor(id string) (string, bool) {
	number, old := strings.CutPrefix(id, firstSeries)
	if !old {
		number = strings.TrimPrefix(id, series)
	}
	if successor, ok := withdrawn[number]; ok && (old || strings.HasPrefix(id, series)) {
		return series + successor, true
	}
	if _, ok := System(series + number); old && ok {
		return series + number, true
	}
	return "", false
}
