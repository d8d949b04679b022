package aesstream

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The keys and the text of SP 800-38A, appendix F.
const (
	key128 = "2b7e151628aed2a6abf7158809cf4f3c"
	key192 = "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b"
	key256 = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
	text   = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)

// What the standards print. The CBC examples have no padding, so a file's last
// block is not theirs.
var vectors = []struct {
	name          string
	mode          Mode
	key, iv       string
	plain, sealed string
}{
	{"SP 800-38A F.2.1", CBC, key128, "000102030405060708090a0b0c0d0e0f", text, "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b273bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"},
	{"SP 800-38A F.2.3", CBC, key192, "000102030405060708090a0b0c0d0e0f", text, "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd"},
	{"SP 800-38A F.2.5", CBC, key256, "000102030405060708090a0b0c0d0e0f", text, "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b"},
	{"SP 800-38A F.5.1", CTR, key128, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", text, "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"},
	{"SP 800-38A F.5.3", CTR, key192, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", text, "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e941e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050"},
	{"SP 800-38A F.5.5", CTR, key256, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", text, "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"},
	{"GCM test case 1", GCM, "00000000000000000000000000000000", "000000000000000000000000", "", "58e2fccefa7e3061367f1d57a4e7455a"},
	{"GCM test case 2", GCM, "00000000000000000000000000000000", "000000000000000000000000", "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
	// The key and IV of Elastic Transcoder's tutorial, encrypted by OpenSSL.
	{"Elastic Transcoder", CBC, hex.EncodeToString([]byte("keykeykeykeykeyk")), hex.EncodeToString([]byte("1234567890123456")), hex.EncodeToString([]byte("sealreel")), "5795efa883767e47ee4bb31b5fef4aba"},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		p := Params{v.mode, rawKey(unhex(t, v.key)), unhex(t, v.iv)}
		plain, want := unhex(t, v.plain), unhex(t, v.sealed)
		file := sealed(t, p, plain, 5)
		shared := min(len(want), len(file))
		if !bytes.Equal(file[:shared], want) {
			t.Errorf("%s: encrypted to %x", v.name, file)
		}
		got, err := readAll(newReader(t, bytes.NewReader(append(want, file[shared:]...)), p), 3)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: decrypted to %x, %v", v.name, got, err)
		}
	}
}
