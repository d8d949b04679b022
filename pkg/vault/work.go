package vault

import (
	"context"
	"io"
	"log/slog"

	"sealreel/pkg/job"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/source"
	"sealreel/pkg/trace"
	"sealreel/pkg/work"
)

// WorkKey makes the data key of a job's work files. The session stores with it
// from then on.
func (s *Session) WorkKey(ctx context.Context) (job.Encryption, error) {
	made, err := s.workring.Generate(ctx, seal.ModeWork)
	if err == nil {
		s.plan.Work = made
	}
	return made, err
}

// StoreWork seals what r gives under the job's work key and creates an object of
// the work bucket. The size is that of the object.
func (s *Session) StoreWork(ctx context.Context, key string, r io.Reader) (int64, error) {
	m, err := s.workring.Unwrap(ctx, s.plan.Work)
	if err != nil {
		return 0, err
	}
	sealed, pipe := io.Pipe()
	go func() {
		w, err := work.NewWriter(pipe, m.Key, s.workBucket+"/"+key)
		if err == nil {
			if _, err = io.Copy(w, r); err == nil {
				err = w.Close()
			}
		}
		pipe.CloseWithError(err) // nil is the end of the object
	}()
	defer sealed.Close()
	ctx, end := trace.Start(ctx, "store", slog.String("sealreel.object", key))
	stored, err := s.workStore.Upload(ctx, s3store.UploadTarget{Bucket: s.workBucket, Key: key, ContentType: "application/octet-stream", Writer: key}, sealed)
	end(err, slog.Int64("sealreel.bytes", stored.Size))
	return stored.Size, err
}

// Work opens an object of the work bucket that has the size. It reads nothing
// that was not stored under the same key and name.
func (s *Session) Work(ctx context.Context, key string, size int64) (io.ReadCloser, error) {
	m, err := s.workring.Unwrap(ctx, s.plan.Work)
	if err != nil {
		return nil, err
	}
	in := open(ctx, s.workStore, s3store.Object{Bucket: s.workBucket, Key: key}, nil, size, window(1), func(err error) error { return err })
	r, err := work.NewReader(io.NewSectionReader(in, 0, size), m.Key, s.workBucket+"/"+key)
	if err != nil {
		in.Close()
		return nil, err
	}
	return workFile{r, in}, nil
}

type workFile struct {
	io.Reader
	in *source.Reader
}

func (w workFile) Close() error { return w.in.Close() }
