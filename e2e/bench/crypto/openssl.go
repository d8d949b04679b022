package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// askOpenSSL lets openssl measure the same ciphers, a second each way, with
// pieces of a chunk. Without the program the rows stay as they are.
func askOpenSSL(ctx context.Context, rows []*row) error {
	program, err := exec.LookPath("openssl")
	if err != nil {
		return nil
	}
	type way struct {
		cipher   cipherOf
		encrypts bool
	}
	known := map[way]float64{}
	for _, r := range rows {
		w := way{r.cipher, r.encrypts}
		if _, ok := known[w]; !ok {
			if known[w], err = opensslSpeed(ctx, program, r.cipher.openssl(), r.encrypts); err != nil {
				return err
			}
		}
		r.openssl = known[w]
	}
	return nil
}

// opensslSpeed is in bytes a second. The line is +F:number:cipher:speed.
func opensslSpeed(ctx context.Context, program, cipher string, encrypts bool) (float64, error) {
	args := []string{"speed", "-mr", "-elapsed", "-seconds", "1", "-bytes", strconv.Itoa(piece)}
	if !encrypts {
		args = append(args, "-decrypt")
	}
	args = append(args, "-evp", cipher)
	out, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		return 0, fmt.Errorf("openssl %s: %w", strings.Join(args, " "), err)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Split(strings.TrimSpace(line), ":"); len(fields) == 4 && fields[0] == "+F" {
			return strconv.ParseFloat(fields[3], 64)
		}
	}
	return 0, fmt.Errorf("openssl %s: it printed no speed: %q", strings.Join(args, " "), out)
}
