// Command ingest is the function that makes jobs of what is dropped into the
// ingest bucket.
package main

import (
	"context"
	"log"

	"sealreel/pkg/wiring"
)

func main() {
	parts, err := wiring.FromEnv(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	parts.Start(wiring.Ingest, parts.Ingester().Handle(parts.Config.IngestBucket))
}
