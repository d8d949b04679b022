// Command assemble is the function that takes the last steps of an output.
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
	parts.Start(wiring.Assemble, parts.Assembler().Handle(parts.Config.StateBucket))
}
