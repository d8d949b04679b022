// Command crypto measures the AES streams against one-shot calls of the standard
// library and against `openssl speed`, all in one run.
//
// Each stream runs right before the one-shot call that does the same, on the same
// bytes, several times; a ratio is the median of the pairs, so that other work on
// the machine weighs on both sides. The one-shot call is measured twice: over the
// whole file in place, whose every byte comes from main memory and goes back, and
// over pieces of 256 KiB that stay in the processor's cache.
//
// With -reach it exits with 1 when CTR or GCM stay below that ratio.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench-crypto:", err)
		os.Exit(1)
	}
}

func run() error {
	small := flag.Int("small", 64, "MiB of the first file")
	large := flag.Int("large", 1024, "MiB of the second file, which shows that memory does not grow; 0 for none")
	rounds := flag.Int("rounds", 5, "how often each pair runs; half as often over the second file")
	reach := flag.Float64("reach", 0, "least ratio to the one-shot call for aes-ctr and aes-gcm")
	flag.Parse()
	if *small < 1 || *large < 0 || *rounds < 1 {
		return fmt.Errorf("-small and -rounds must be at least 1, -large at least 0")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fmt.Printf("%s, %s/%s, %d cores. MB is 10^6 bytes, in the fastest round; a ratio is the median of all rounds.\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))
	fmt.Println("read, ranges (of 2 MiB, in no order) and verify are held against one-shot decryption. One-shot calls, openssl,")
	fmt.Println("aes-ctr and aes-gcm use one core; decrypting aes-cbc-pkcs7 uses all.")
	for _, of := range []struct{ size, rounds int }{{*small, *rounds}, {*large, (*rounds + 1) / 2}} {
		if of.size == 0 {
			continue
		}
		rows, err := measure(ctx, of.size<<20, of.rounds)
		if err != nil {
			return err
		}
		if err := askOpenSSL(ctx, rows); err != nil {
			return err
		}
		fmt.Printf("\n%d MiB, %d rounds\n", of.size, of.rounds)
		show(os.Stdout, rows)
		if err := short(rows, *reach); err != nil {
			return err
		}
	}
	return nil
}
