// The command sealreel runs Sealreel on this machine, and drops, follows and
// fetches jobs there or on AWS.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"sealreel/cmd/sealreel/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(cli.Run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}
