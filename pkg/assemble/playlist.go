package assemble

import (
	"context"
	"errors"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/plan"
)

func (m *making) playlist(ctx context.Context) (*ledger.Result, error) {
	return nil, errors.New("later")
}

func (a *Assembler) masters(ctx context.Context, p *plan.Plan, rec *ledger.Record, results []*ledger.Result) (map[string]*job.Failure, error) {
	return nil, nil
}
