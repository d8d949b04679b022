package aesstream

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"
)

// Both directions against the openssl command, which docs tell users to use.
func TestOpenSSL(t *testing.T) {
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("the optional program openssl is not installed")
	}
	run := func(p Params, direction string, in []byte) []byte {
		t.Helper()
		algorithm := map[Mode]string{CBC: "cbc", CTR: "ctr"}[p.Mode]
		cmd := exec.Command(program, "enc", direction, "-nosalt", fmt.Sprintf("-aes-%d-%s", 8*len(p.Key.Bytes()), algorithm),
			"-K", fmt.Sprintf("%x", p.Key.Bytes()), "-iv", fmt.Sprintf("%x", p.IV))
		cmd.Stdin = bytes.NewReader(in)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", cmd.Args[1:4], err)
		}
		return out
	}
	for _, mode := range []Mode{CBC, CTR} {
		for _, key := range []int{16, 24, 32} {
			for _, n := range []int{0, 1, 16, 1000, chunkSize, 2*chunkSize + 3} {
				p, plain := format{mode, 16}.params(key), random(n, 3)
				if mode == CTR {
					p.IV = append(bytes.Repeat([]byte{0xff}, 15), 0xf0) // its counter wraps soon
				}
				if got := run(p, "-d", sealed(t, p, plain, 4099)); !bytes.Equal(got, plain) {
					t.Errorf("%s, key %d: openssl decrypts our %d bytes wrongly", mode, key, n)
				}
				got, err := readAll(newReader(t, bytes.NewReader(run(p, "-e", plain)), p), 4099)
				if err != nil || !bytes.Equal(got, plain) {
					t.Errorf("%s, key %d: we decrypt openssl's %d bytes wrongly, %v", mode, key, n, err)
				}
			}
		}
	}
}
