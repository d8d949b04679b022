package stack

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sealreel/local/internal/atomicfile"
)

// exported are the variables of the functions that a user needs too.
var exported = []string{"SEALREEL_INGEST_BUCKET", "SEALREEL_OUTPUT_BUCKET", "SEALREEL_STATE_BUCKET", "SEALREEL_WORK_BUCKET",
	"SEALREEL_QUEUE_URL", "SEALREEL_KMS_KEY_ARN", "SEALREEL_PIPELINE_ID", "SEALREEL_ENCRYPTED_PUTS"}

// endpoints are the variables that lead an AWS SDK here.
func (s *Stack) endpoints() map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL_S3":  s.services.objectsURL,
		"AWS_ENDPOINT_URL_SQS": s.services.queuesURL,
		"AWS_ENDPOINT_URL_SNS": s.services.topicsURL,
		"AWS_ENDPOINT_URL_KMS": s.services.keysURL,
		"AWS_ENDPOINT_URL_STS": s.services.tokensURL,
		"AWS_CA_BUNDLE":        s.services.authority.CAFile(),
	}
}

// Exports returns the variables with which an AWS client and the sealreel
// command use the stack.
func (s *Stack) Exports() map[string]string { return maps.Clone(s.exports) }

func (s *Stack) variables() map[string]string {
	all := s.endpoints()
	all["AWS_ENDPOINT_URL_CLOUDWATCH"] = s.services.watchURL
	all["AWS_ACCESS_KEY_ID"] = s.state.User.AccessKeyID
	all["AWS_SECRET_ACCESS_KEY"] = s.state.User.SecretAccessKey
	all["AWS_REGION"] = Region
	for _, f := range s.template.Functions {
		for _, name := range exported {
			if value, ok := f.Environment[name]; ok {
				all[name] = value
			}
		}
	}
	return all
}

// WriteEnv writes the variables to a file as lines that a shell can source.
// The file appears whole; its mode is 0600 since it holds the secret key.
// Close removes it.
func (s *Stack) WriteEnv(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.services == nil {
		return errors.New("stack: it is closed")
	}
	all := s.exports
	err := atomicfile.Write(path, 0o600, func(w io.Writer) error {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if _, err := fmt.Fprintf(w, "export %s=%s\n", name, quote(all[name])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("stack: write the variables: %w", err)
	}
	s.envFile = path
	return nil
}

// defaultEnv is where the sealreel command writes the variables.
func (s *Stack) defaultEnv() string { return filepath.Join(s.config.Dir, "env") }

var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,-]+$`)

// quote writes a value as one word of a shell.
func quote(value string) string {
	if plain.MatchString(value) {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
