package ledger

import (
	"context"
	"fmt"
	"testing"
	"time"

	"sealreel/pkg/object"
	"sealreel/pkg/object/objecttest"
)

// echo is a store each of whose writes is carried out, loses its answer, and is
// made again by the client: what that hears is of its own object.
type echo struct{ objecttest.Memory }

func (e *echo) Create(ctx context.Context, bucket, key string, body []byte) error {
	if err := e.Memory.Create(ctx, bucket, key, body); err != nil {
		return err
	}
	return fmt.Errorf("the second try: %w", object.ErrExists)
}

func (e *echo) Replace(ctx context.Context, bucket, key string, body []byte, etag string) error {
	if err := e.Memory.Replace(ctx, bucket, key, body, etag); err != nil {
		return err
	}
	return fmt.Errorf("the second try: %w", object.ErrChanged)
}

// TestAClaimWhoseAnswerWasLostIsKnownForOnesOwn: otherwise nobody would send the
// message until the claim is old.
func TestAClaimWhoseAnswerWasLostIsKnownForOnesOwn(t *testing.T) {
	l, now := New(new(echo), "state"), time.Now()
	claim := func() bool {
		t.Helper()
		n, claimed, err := l.ClaimNotice(t.Context(), "j", "COMPLETED", &Notice{Topic: "t", Claimed: now, Attempts: 1})
		if err != nil || n.Topic != "t" {
			t.Fatalf("%+v, %v", n, err)
		}
		return claimed
	}
	if !claim() {
		t.Error("the claim isn't known for one's own")
	}
	if claim() {
		t.Error("another's claim is taken for one's own")
	}
	for n, want := range []bool{true, false} {
		renewed, err := l.RenewNotice(t.Context(), "j", "COMPLETED", now.Add(time.Second), now.Add(time.Minute))
		if err != nil || renewed != want {
			t.Errorf("renewal %d: %t, %v", n, renewed, err)
		}
	}
	if err := l.ConfirmNotice(t.Context(), "j", "COMPLETED", "id"); err != nil {
		t.Error(err)
	}
}
