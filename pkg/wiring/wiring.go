// Package wiring joins the parts that every function needs, as its environment
// says.
package wiring

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"sealreel/pkg/assemble"
	"sealreel/pkg/config"
	"sealreel/pkg/encode"
	"sealreel/pkg/ffmpeg"
	"sealreel/pkg/ingest"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/ledger"
	"sealreel/pkg/logs"
	"sealreel/pkg/notify"
	"sealreel/pkg/plan"
	"sealreel/pkg/probe"
	"sealreel/pkg/reconcile"
	"sealreel/pkg/role"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/snstopic"
	"sealreel/pkg/sqsqueue"
	"sealreel/pkg/stsrole"
	"sealreel/pkg/trace"
	"sealreel/pkg/transcode"
	"sealreel/pkg/vault"
)

// Parts are the parts.
type Parts struct {
	Config config.Config
	AWS    aws.Config
	Store  *s3store.Store
	Ledger *ledger.Ledger
	Vault  *vault.Vault
	Queue  *sqsqueue.Queue
	Herald *notify.Notifier
	Log    *slog.Logger
	Tracer trace.Tracer // nil in the functions as they are; module traces sets one
}

// memoryLimit is where the collector begins to work harder, in bytes, unless
// GOMEMLIMIT says otherwise. What a function holds is bounded; this bounds the
// garbage beside it, and leaves the function's memory to ffmpeg.
const memoryLimit = 40 << 20

// FromEnv joins the parts of the process's environment.
func FromEnv(ctx context.Context) (*Parts, error) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	c, err := config.FromEnv(os.Getenv)
	if err != nil {
		return nil, err
	}
	if c.NoSandbox {
		ffmpeg.WithoutSandbox()
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	cfg.APIOptions = append(cfg.APIOptions, apiOptions...)
	store, keys, roles := s3store.New(cfg, s3store.Options{NameEncryption: c.EncryptedPuts}), kmskeys.New(cfg), stsrole.New(cfg)
	assume := func(ctx context.Context, r role.Role, k role.Keys) (*s3store.Store, seal.Keys, error) {
		session, err := roles.Assume(ctx, r, k)
		if err != nil {
			return nil, nil, err
		}
		return store.As(session), keys.As(session), nil
	}
	log := logs.New(os.Stdout, c.LogLevel).With(logs.Function, lambdacontext.FunctionName)
	records := ledger.New(store, c.StateBucket)
	return &Parts{
		Config: c,
		AWS:    cfg,
		Store:  store,
		Ledger: records,
		Vault:  vault.New(store, keys, c.WorkBucket, assume),
		Queue:  sqsqueue.New(cfg, c.QueueURL),
		Herald: &notify.Notifier{Ledger: records, Publish: publishing(snstopic.New(cfg), roles), RoleARN: c.RoleARN, Log: log, Now: time.Now},
		Log:    log,
	}, nil
}

// publishing sends messages under a pipeline's role, where it has one.
func publishing(own *snstopic.Topics, roles *stsrole.Roles) notify.Publish {
	return func(ctx context.Context, as *role.Role, topic, subject, message string) (string, error) {
		topics := own
		if as != nil {
			session, err := roles.Assume(ctx, *as, role.Keys{})
			if err != nil {
				return "", err
			}
			topics = own.As(session)
		}
		return topics.Publish(ctx, topic, subject, message)
	}
}

// Worker is what the transcode function does tasks with.
func (p *Parts) Worker() *transcode.Worker {
	return &transcode.Worker{
		Ledger:    p.Ledger,
		Queue:     p.Queue,
		Herald:    p.Herald,
		Open:      func(ctx context.Context, k plan.Keys) (transcode.Vault, error) { return p.Vault.Open(ctx, k) },
		FFmpeg:    p.Config.FFmpeg,
		MaxPixels: int(p.Config.MaxPixels),
		Settings:  encode.Settings{X264Preset: p.Config.X264Preset},
		Log:       p.Log,
	}
}

// Ingester is what the ingest function makes jobs with.
func (p *Parts) Ingester() *ingest.Ingester {
	return &ingest.Ingester{
		Ledger:          p.Ledger,
		Documents:       p.Vault,
		Queue:           p.Queue,
		Herald:          p.Herald,
		Open:            func(ctx context.Context, k plan.Keys) (ingest.Vault, error) { return p.Vault.Open(ctx, k) },
		Probe:           ingest.ProbeWith(probe.Prober{Path: p.Config.FFprobe, MaxPixels: int(p.Config.MaxPixels)}),
		Captions:        ingest.EmbeddedWith(p.Config.FFmpeg),
		DefaultID:       p.Config.PipelineID,
		DefaultPipeline: p.Config.Pipeline,
		KeyARN:          p.Config.KeyARN,
		RoleARN:         p.Config.RoleARN,
		Region:          p.AWS.Region,
		Options:         plan.Options{ChunkSeconds: p.Config.ChunkSeconds, Window: p.Config.MaximumConcurrency},
		Log:             p.Log,
	}
}

// Reconciler is what the reconcile function does its rounds with.
func (p *Parts) Reconciler(deadLetters *sqsqueue.Queue) *reconcile.Reconciler {
	timing := reconcile.Usual
	timing.Lost = time.Duration(p.Config.LostSeconds) * time.Second
	timing.Stalled = time.Duration(p.Config.StalledSeconds) * time.Second
	return &reconcile.Reconciler{
		Ledger:      p.Ledger,
		Ingester:    p.Ingester(),
		Worker:      p.Worker(),
		Herald:      p.Herald,
		Queue:       p.Queue,
		DeadLetters: deadLetters,
		Drops:       p.drops,
		Timing:      timing,
		Limits:      reconcile.UsualLimits,
		Log:         p.Log,
		Now:         time.Now,
	}
}

// drops are the versions of objects in the ingest bucket.
func (p *Parts) drops(ctx context.Context, after ledger.Marker) ([]reconcile.Dropped, ledger.Marker, error) {
	versions, next, err := p.Store.Versions(ctx, p.Config.IngestBucket, s3store.VersionMarker(after))
	page := make([]reconcile.Dropped, len(versions))
	for n, v := range versions {
		page[n] = reconcile.Dropped{Drop: ledger.Drop{Bucket: p.Config.IngestBucket, Key: v.Key, VersionID: v.VersionID},
			At: v.LastModified, InParts: v.InParts, Replaced: v.Replaced}
	}
	return page, ledger.Marker(next), err
}

// Assembler is what the assemble function works with.
func (p *Parts) Assembler() *assemble.Assembler {
	return &assemble.Assembler{
		Ledger: p.Ledger,
		Herald: p.Herald,
		Open:   func(ctx context.Context, k plan.Keys) (assemble.Vault, error) { return p.Vault.Open(ctx, k) },
		FFmpeg: p.Config.FFmpeg,
		Log:    p.Log,
	}
}
