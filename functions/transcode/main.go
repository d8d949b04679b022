// Command transcode is the function that does the tasks of the chunk queue: it
// encodes sound and pictures and stores what comes out sealed.
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
	parts.Start(wiring.Transcode, parts.Worker().Handle(parts.Queue))
}
