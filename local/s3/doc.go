// Package s3 is the S3 of the embedded AWS: what sealreel up and the tests talk to instead of the real service.
//
// The protocol (signatures, chunked bodies, XML, routing) is VersityGW's, linked as a library. What lies behind it
// is ours, because the points that matter to this project are those an emulator usually leaves out. It guarantees:
//
//   - Every object is encrypted at rest, with the customer's key (SSE-C) or else with a key of the data directory.
//     An SSE-C object cannot be read without its key, neither over the wire nor from the disk.
//   - SSE-C behaves as on S3, refusals included: TLS only, blocked on new buckets, the same key for every part.
//   - A conditional write is decided in the same transaction that makes the object visible: of any number of racing
//     writers with If-None-Match exactly one wins.
//   - An event is handed out after its object is visible, with a sequencer that grows with every write.
//   - Memory does not grow with the size of an object; what is stored survives a restart of the process.
//
// Who may do what is for the gate of its Config to say: each operation is authorized before the store does it, under
// the IAM action, resource and condition keys that S3 has for it.
//
// It is no public server: it listens where it is told (loopback, normally), and object lock, lifecycle and website hosting
// are not there. Grants to others are kept and shown, and give nobody anything. Content is not synced to the disk before an
// answer, so a power failure may lose the last objects.
package s3
