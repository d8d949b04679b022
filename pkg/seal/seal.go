// Package seal holds the rules of the keys that media is encrypted with: which
// mode needs which key, how a wrapped key is unwrapped and checked, and how a
// key is generated. It knows no AWS SDK; the key service is an interface.
//
// It guarantees that
//   - a Key never shows its bytes in any text, log line or JSON, wherever in a
//     structure it sits;
//   - a key that is unwrapped has the size that its mode takes and belongs to
//     the KeyMd5 that came with it;
//   - a Keyring asks the key service once for each key, and wipes all of them
//     when it is closed;
//   - keys travel only over TLS or within the machine (CheckEndpoint);
//   - plaintext keys are asked for, held and derived from under package shield: a
//     build with GOEXPERIMENT=runtimesecret also erases the copies that nothing
//     here can reach, such as those that a key service's answer was decoded
//     through.
package seal
