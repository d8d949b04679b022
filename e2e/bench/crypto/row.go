package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"sealreel/pkg/aesstream"
)

// row is what was measured of one stream.
type row struct {
	cipher   cipherOf
	does     string
	encrypts bool

	rate          float64   // bytes a second, in the fastest round
	whole, cached []float64 // the stream's speed by that of the one-shot calls, a round each
	openssl       float64   // bytes a second; 0: not known
	allocated     uint64    // bytes in the last round, freed or not
}

// show prints the table.
func show(w io.Writer, rows []*row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "cipher\tstream\tMB/s\tby one-shot\tby one-shot in cache\tby openssl\tKiB allocated\t")
	for _, r := range rows {
		openssl := "-"
		if r.openssl > 0 {
			openssl = fmt.Sprintf("%.2f", r.rate/r.openssl)
		}
		fmt.Fprintf(t, "%s\t%s\t%.0f\t%.2f\t%.2f\t%s\t%.0f\t\n",
			r.cipher, r.does, r.rate/1e6, median(r.whole), median(r.cached), openssl, float64(r.allocated)/1024)
	}
	t.Flush()
}

// short says which stream of aes-ctr or aes-gcm is below the ratio.
func short(rows []*row, reach float64) error {
	for _, r := range rows {
		if got := median(r.whole); r.cipher.mode != aesstream.CBC && got < reach {
			return fmt.Errorf("%s, %s: %.2f of the one-shot call, want %.2f", r.cipher, r.does, got, reach)
		}
	}
	return nil
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(all))[len(all)/2]
}
