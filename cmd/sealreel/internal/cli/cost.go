package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"sealreel/cmd/sealreel/internal/bill"
	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/price"
)

var costCommand = command{
	name: "cost", args: "[--json] [--prices FILE] JOB",
	summary: "say what a job cost",
	text: `
Prints what each function used for the job and what that costs by published list
prices, for the whole job and for a minute of its output, and what Elastic Transcoder
charged and MediaConvert (basic tier) charges for the same outputs. The figures are
what the functions noted themselves, failed attempts included; what they leave out
stands below the table.

  --json         print it as JSON, with the prices
  --prices FILE  take prices from a JSON file; what it leaves out is as published.
                 docs/cost.md shows one`,
	run: cost,
}

func cost(ctx context.Context, t *terminal, args []string) error {
	f := newFlags()
	asJSON := f.Bool("json", false, "")
	file := f.String("prices", "", "")
	positional, err := f.parse(args, "JOB")
	if err != nil {
		return err
	}
	prices, err := pricesOf(*file)
	if err != nil {
		return err
	}
	s, err := site.Connect(ctx, t.getenv)
	if err != nil {
		return err
	}
	statement, err := statementOf(ctx, s.Ledger, positional[0], prices)
	if err != nil {
		return explainJob(err, positional[0])
	}
	statement.Embedded = t.getenv("AWS_ENDPOINT_URL_S3") != ""
	if !*asJSON {
		return statement.Write(t.stdout)
	}
	doc, err := json.Marshal(statement)
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return showJSON(t.stdout, doc)
}

// pricesOf reads a file of prices, or takes the published ones.
func pricesOf(file string) (price.List, error) {
	if file == "" {
		return price.Published(), nil
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return price.List{}, err
	}
	prices, err := price.Parse(body)
	if err != nil {
		return price.List{}, fmt.Errorf("%s: %w", file, err)
	}
	return prices, nil
}

// statementOf is what the job with the id cost.
func statementOf(ctx context.Context, l *ledger.Ledger, id string, prices price.List) (bill.Statement, error) {
	rec, err := l.Job(ctx, id)
	if err != nil {
		return bill.Statement{}, err
	}
	s := bill.Statement{Job: id, Status: rec.Job.Status, Prices: prices, Unrecorded: []string{}}
	p, err := l.Plan(ctx, id)
	if err != nil && !errors.Is(err, object.ErrNotExist) {
		return s, err
	}
	if err != nil {
		p = nil // the job came to no plan
	}
	records, err := l.Usage(ctx, id)
	if err != nil {
		return s, err
	}
	s.Bill = prices.Bill(records, prices.OutputsOf(rec.Job, p))
	if p != nil {
		s.Unrecorded = append(s.Unrecorded, price.Unrecorded(p, records)...)
	}
	return s, nil
}
