// Command scale simulates what a large account of AWS makes of jobs and prints it
// as tables (docs/scale.md): how long they take, what is used of each quota, which
// of these holds the others up, and what goes wrong. Costs of steps come from
// measured ones: go run ./e2e/bench -steps e2e/scale/cost/measured.json
package main

import (
	"flag"
	"fmt"
	"os"

	"sealreel/e2e/scale/account"
	"sealreel/e2e/scale/cost"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run() error {
	jobs := flag.Int("jobs", 10000, "titles of an hour that are there at once")
	seed := flag.Uint64("seed", account.Seed, "of what varies")
	file := flag.String("costs", "", "measured costs; default those kept with the code")
	guide := flag.String("guide", "", "write the tables into this guide (docs/scale.md) instead of printing them")
	flag.Parse()
	costs, err := cost.Measured()
	if *file != "" {
		var document []byte
		if document, err = os.ReadFile(*file); err == nil {
			costs, err = cost.Parse(document)
		}
	}
	if err != nil {
		return err
	}
	if *guide != "" {
		return account.WriteGuide(*guide, costs, *jobs)
	}
	return account.Report(os.Stdout, costs, *jobs, *seed)
}
