// Command reconcile is the function that brings to an end what stopped moving.
package main

import (
	"context"
	"log"
	"os"

	"sealreel/pkg/sqsqueue"
	"sealreel/pkg/wiring"
)

func main() {
	parts, err := wiring.FromEnv(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	url := os.Getenv("SEALREEL_DEAD_LETTER_QUEUE_URL")
	if url == "" {
		log.Fatal("SEALREEL_DEAD_LETTER_QUEUE_URL is not set: the template sets it")
	}
	reconciler := parts.Reconciler(sqsqueue.New(parts.AWS, url))
	parts.Start(wiring.Reconcile, func(ctx context.Context) error {
		_, err := reconciler.Run(ctx)
		return err
	})
}
