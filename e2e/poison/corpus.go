// Package poison makes files that are meant to hurt whoever reads them: media
// that are cut, damaged or lie about themselves, documents that name other
// resources, pictures and captions that grow when they are read.
//
// Nothing of the corpus is stored: ffmpeg makes small good files, and what is
// wrong with them is put in here, always in the same way for the same ffmpeg.
package poison

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
)

// Role is what a job uses a file for.
type Role int

// The roles. A job has good media beside a file that is not its input.
const (
	Picture  Role = iota // an input whose picture and sound are wanted
	Sound                // an input whose sound alone is wanted
	Mark                 // a watermark
	Album                // a picture of an album
	Captions             // a side-car file of captions
)

// Sample is one file of the corpus.
type Sample struct {
	Kind string // what is wrong with it: a row of the table
	Name string // as it is dropped
	Data []byte
	Role Role
}

// Lures are what documents of the corpus name: whoever opens one of them has
// been led astray.
type Lures struct {
	Host string // a server, host:port
	File string // a local file, absolute
}

// Scale says how much of the corpus is made.
type Scale struct {
	// Damages is how many times each good file is damaged in each way.
	Damages int
	// PerKind is the most files of a kind; 0: all.
	PerKind int
}

// corpus gathers samples.
type corpus struct {
	bases   []base // good files
	films   []base // those of package variable films
	lures   Lures
	damages int
	samples []Sample
}

// Corpus makes the samples, kind by kind. The folder is for what ffmpeg makes.
func Corpus(ffmpeg, dir string, lures Lures, s Scale) ([]Sample, error) {
	c := &corpus{lures: lures, damages: s.Damages}
	var err error
	if c.bases, err = film(ffmpeg, dir, recipes); err != nil {
		return nil, err
	}
	if c.films, err = film(ffmpeg, dir, films); err != nil {
		return nil, err
	}
	for _, add := range []func(*corpus){
		(*corpus).damaged, (*corpus).disguised, (*corpus).documents, (*corpus).boxes, (*corpus).matroska,
		(*corpus).transport, (*corpus).frames, (*corpus).headers, (*corpus).pictures, (*corpus).captions,
	} {
		add(c)
	}
	return c.thin(s.PerKind), nil
}

// add adds a sample.
func (c *corpus) add(kind, name string, role Role, data []byte) {
	c.samples = append(c.samples, Sample{Kind: kind, Name: name, Data: data, Role: role})
}

// of is the good file of a name.
func (c *corpus) of(name string) base {
	for _, b := range c.bases {
		if b.name == name {
			return b
		}
	}
	panic("poison: no good file is called " + name)
}

// thin keeps at most so many of each kind, evenly.
func (c *corpus) thin(most int) []Sample {
	kinds := map[string][]Sample{}
	var order []string
	for _, s := range c.samples {
		if kinds[s.Kind] == nil {
			order = append(order, s.Kind)
		}
		kinds[s.Kind] = append(kinds[s.Kind], s)
	}
	var all []Sample
	for _, kind := range order {
		of := kinds[kind]
		slices.SortStableFunc(of, func(a, b Sample) int { return strings.Compare(a.Name, b.Name) }) // some come from maps
		if most > 0 && len(of) > most {
			var few []Sample
			for i := range most {
				few = append(few, of[(2*i+1)*len(of)/(2*most)])
			}
			of = few
		}
		all = append(all, of...)
	}
	return all
}

// chance is a source of random numbers that is the same for the same name.
func chance(name string) *rand.Rand {
	seed := [32]byte{}
	copy(seed[:], name)
	return rand.New(rand.NewChaCha8(seed))
}

// damaged are good files that are cut or changed at random.
func (c *corpus) damaged() {
	for _, b := range c.bases {
		extension := filepath.Ext(b.name)
		for n := range c.damages {
			r := chance(fmt.Sprint(b.name, " again ", n))
			name := func(how string) string { return fmt.Sprintf("%s-%d%s", how, n, extension) }
			size := len(b.data)
			c.add("cut", name("cut"), b.role, b.data[:size*(n+1)/(c.damages+1)])
			c.add("cut at the front", name("front"), b.role, b.data[1+r.IntN(size-1):])
			c.add("bits flipped", name("bits"), b.role, flipped(r, b.data, 1+size/(1<<(6+2*(n%5)))))
			c.add("head damaged", name("head"), b.role, slices.Concat(flipped(r, b.data[:min(size, 512)], 1+r.IntN(24)), b.data[min(size, 512):]))
			c.add("zeros in the middle", name("zeros"), b.role, overwritten(r, b.data, func() byte { return 0 }))
			c.add("noise in the middle", name("noise"), b.role, overwritten(r, b.data, func() byte { return byte(r.Uint32()) }))
			c.add("a piece twice", name("twice"), b.role, repeated(r, b.data))
		}
	}
	for n, size := range []int{0, 1, 3, 4, 7, 11, 12, 16, 188, 4096} {
		c.add("nearly empty", fmt.Sprintf("size-%d.mp4", size), Picture, c.of("a.mp4").data[:size])
		c.add("no media", fmt.Sprintf("zeros-%d.mp4", n), Picture, make([]byte, size))
	}
	noise := make([]byte, 200_000)
	for i, r := 0, chance("noise"); i < len(noise); i++ {
		noise[i] = byte(r.Uint32())
	}
	c.add("no media", "noise.mkv", Picture, noise)
	c.add("no media", "ones.ts", Picture, slices.Repeat([]byte{0xff}, 100_000))
	c.add("no media", "sync.ts", Picture, slices.Repeat([]byte{0x47}, 100_000))
}

func flipped(r *rand.Rand, data []byte, times int) []byte {
	data = slices.Clone(data)
	for range times {
		data[r.IntN(len(data))] ^= 1 << r.IntN(8)
	}
	return data
}

func overwritten(r *rand.Rand, data []byte, with func() byte) []byte {
	data = slices.Clone(data)
	from := r.IntN(len(data))
	for i := from; i < min(from+1+r.IntN(len(data)/4+1), len(data)); i++ {
		data[i] = with()
	}
	return data
}

func repeated(r *rand.Rand, data []byte) []byte {
	from := r.IntN(len(data))
	to := from + r.IntN(len(data)-from)
	at := r.IntN(len(data))
	return slices.Concat(data[:at], data[from:to], data[at:])
}

// disguised are good files under another name, and halves of two.
func (c *corpus) disguised() {
	for i, b := range c.bases {
		other := c.bases[(i+5)%len(c.bases)]
		c.add("another extension", "as"+filepath.Ext(other.name), b.role, b.data)
		c.add("half one, half another", "half"+filepath.Ext(b.name), b.role, slices.Concat(b.data[:len(b.data)/2], other.data[len(other.data)/2:]))
	}
}
