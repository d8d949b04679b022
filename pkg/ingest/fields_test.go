package ingest

import (
	"testing"

	"sealreel/pkg/plan"
)

// TestFieldOrders: what ffprobe says of files that were made with each order.
func TestFieldOrders(t *testing.T) {
	for _, c := range []struct{ format, order, shown, deinterlace string }{
		{"mpegts", "tt", plan.TopFirst, plan.Flagged},
		{"mov,mp4,m4a,3gp,3g2,mj2", "bb", plan.BottomFirst, plan.Flagged},
		{"mov,mp4,m4a,3gp,3g2,mj2", "tb", plan.TopFirst, plan.Flagged},
		{"mov,mp4,m4a,3gp,3g2,mj2", "bt", plan.BottomFirst, plan.Flagged},
		{"matroska,webm", "tb", plan.TopFirst, plan.Flagged},
		{"matroska,webm", "bt", plan.BottomFirst, plan.Flagged},
		{"mxf", "tt", plan.TopFirst, plan.Flagged},
		{"mxf", "tb", plan.BottomFirst, plan.Flagged},
		{"mxf", "bt", plan.TopFirst, plan.Flagged},
		{"mov,mp4,m4a,3gp,3g2,mj2", "progressive", "", ""},
		{"matroska,webm", "", "", ""},
	} {
		shown, deinterlace := fields(c.format, c.order)
		if shown != c.shown || deinterlace != c.deinterlace {
			t.Errorf("%+v: %q, %q", c, shown, deinterlace)
		}
	}
}
