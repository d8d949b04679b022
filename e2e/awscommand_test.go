package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"sealreel/pkg/kmskeys"
	"sealreel/pkg/object"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
)

// standInFor makes a folder in which this test's own program has the name of
// another one; see TestMain.
func standInFor(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// awsCommand is as much of the aws command as documents use, for machines that
// don't have it. It returns the exit code.
func awsCommand(args []string) int {
	if err := runAWS(context.Background(), args); err != nil {
		fmt.Fprintln(os.Stderr, "aws (stand-in):", err)
		return 1
	}
	return 0
}

// awsCall is one command with its options.
type awsCall struct {
	options map[string]string
	store   *s3store.Store
	keys    *kmskeys.Keys
}

func runAWS(ctx context.Context, args []string) error {
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	c := awsCall{map[string]string{}, s3store.New(cfg, s3store.Options{}), kmskeys.New(cfg)}
	var words []string
	for len(args) > 0 {
		if name, isOption := strings.CutPrefix(args[0], "--"); isOption && len(args) > 1 {
			c.options[name], args = args[1], args[2:]
			continue
		}
		words, args = append(words, args[0]), args[1:]
	}
	name := strings.Join(words, " ")
	if outfile, isGet := strings.CutPrefix(name, "s3api get-object "); isGet {
		return c.get(ctx, outfile)
	}
	run, ok := map[string]func(context.Context) error{
		"kms encrypt": c.encrypt, "kms decrypt": c.decrypt,
		"s3api put-object": c.put, "s3api head-object": c.head, "s3api wait object-exists": c.wait,
	}[name]
	if !ok {
		return fmt.Errorf("it does not know %q", name)
	}
	return run(ctx)
}

// blob reads an option that is fileb://FILE.
func (c awsCall) blob(option string) ([]byte, error) {
	file, isFile := strings.CutPrefix(c.options[option], "fileb://")
	if !isFile {
		return nil, fmt.Errorf("--%s must be fileb://FILE", option)
	}
	return os.ReadFile(file)
}

// context reads --encryption-context as name=value or as JSON.
func (c awsCall) context() (map[string]string, error) {
	text, pairs := c.options["encryption-context"], map[string]string{}
	if strings.HasPrefix(text, "{") {
		return pairs, json.Unmarshal([]byte(text), &pairs)
	}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(pair, "=")
		pairs[name] = value
	}
	return pairs, nil
}

// answer prints the one member of the answer that --query may ask for.
func (c awsCall) answer(member, value string) error {
	if c.options["query"] != member || c.options["output"] != "text" {
		return fmt.Errorf("it knows only --query %s --output text here", member)
	}
	_, err := fmt.Println(value)
	return err
}

func (c awsCall) encrypt(ctx context.Context) error {
	raw, err := c.blob("plaintext")
	if err != nil {
		return err
	}
	key, err := seal.NewKey(raw)
	if err != nil {
		return err
	}
	pairs, err := c.context()
	if err != nil {
		return err
	}
	wrapped, err := c.keys.Wrap(ctx, key, c.options["key-id"], pairs)
	if err != nil {
		return err
	}
	return c.answer("CiphertextBlob", base64.StdEncoding.EncodeToString(wrapped))
}

func (c awsCall) decrypt(ctx context.Context) error {
	wrapped, err := c.blob("ciphertext-blob")
	if err != nil {
		return err
	}
	pairs, err := c.context()
	if err != nil {
		return err
	}
	raw, err := c.keys.Decrypt(ctx, wrapped, c.options["key-id"], pairs)
	if err != nil {
		return err
	}
	return c.answer("Plaintext", base64.StdEncoding.EncodeToString(raw))
}

func (c awsCall) object() s3store.Object {
	return s3store.Object{Bucket: c.options["bucket"], Key: c.options["key"]}
}

func (c awsCall) put(ctx context.Context) error {
	f, err := os.Open(c.options["body"])
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = c.store.Upload(ctx, s3store.UploadTarget{Bucket: c.options["bucket"], Key: c.options["key"]}, f)
	return err
}

func (c awsCall) get(ctx context.Context, file string) error {
	info, err := c.store.Head(ctx, c.object(), nil)
	if err != nil {
		return err
	}
	body, err := c.store.ReadRange(ctx, c.object(), nil, 0, info.Size)
	if err != nil {
		return err
	}
	defer body.Close()
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, body)
	return errors.Join(err, out.Close())
}

func (c awsCall) head(ctx context.Context) error {
	info, err := c.store.Head(ctx, c.object(), nil)
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(strings.TrimPrefix(c.options["query"], `Metadata."`), `"`)
	return c.answer(`Metadata."`+name+`"`, info.Metadata[name])
}

// wait asks every so often, for as long as the aws command does.
func (c awsCall) wait(ctx context.Context) error {
	for range 200 {
		_, err := c.store.Head(ctx, c.object(), nil)
		if !errors.Is(err, object.ErrNotExist) {
			return err
		}
		time.Sleep(500 * time.Millisecond)
	}
	return errors.New("the object does not come")
}
