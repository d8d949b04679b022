// Command sealreel runs Sealreel on this machine, and drops, follows and
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
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(cli.Run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}
