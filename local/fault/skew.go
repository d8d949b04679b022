package fault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tolerance is by how much a signature's time may differ from the service's
// (AWS: 15 minutes for S3, 5 for most others; the wider is taken for all).
const tolerance = 15 * time.Minute

// stamp is how X-Amz-Date has a time.
const stamp = "20060102T150405Z"

// skewed answers as a service whose clock is ahead by so much: it refuses what
// was signed at a time that it takes for wrong. What it takes for right is signed
// anew for the service behind, whose clock isn't skewed.
func (x *exchange) skewed(by time.Duration) {
	x.answer.date = func() time.Time { return time.Now().Add(by) }
	signed, err := time.Parse(stamp, x.request.Header.Get("X-Amz-Date"))
	if err != nil { // unsigned, or signed in the query
		x.next.ServeHTTP(x.answer, x.request)
		return
	}
	if off := time.Since(signed.Add(-by)); off > tolerance || off < -tolerance {
		io.Copy(io.Discard, x.request.Body)
		code := Answer{Status: http.StatusForbidden, Code: "InvalidSignatureException", Message: "Signature not yet current or expired: the clocks differ"}
		if x.call.Service == "s3" {
			code = Answer{Status: http.StatusForbidden, Code: "RequestTimeTooSkewed", Message: "The difference between the request time and the current time is too large."}
		}
		refuse(x.call, x.answer, code)
		return
	}
	if x.call.Service == "s3" {
		x.engine.sign(x.request, x.call.AccessKeyID, time.Now())
	}
	x.next.ServeHTTP(x.answer, x.request)
}

// sign signs a request anew at another time, with the headers that were signed
// before. Bodies that are signed in chunks can't be: the service refuses those.
func (e *Engine) sign(r *http.Request, accessKeyID string, now time.Time) {
	e.mu.Lock()
	secret, known := e.secrets[accessKeyID]
	e.mu.Unlock()
	fields := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	scope := strings.Split(fields["Credential"], "/")
	if !known || len(scope) != 5 {
		return
	}
	at := now.UTC().Format(stamp)
	r.Header.Set("X-Amz-Date", at)
	scope[1] = at[:8]
	summed := sha256.Sum256([]byte(canonical(r, fields["SignedHeaders"])))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", at, strings.Join(scope[1:], "/"), hex.EncodeToString(summed[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range scope[1:] {
		key = mac(key, part)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+strings.Join(scope, "/")+", SignedHeaders="+fields["SignedHeaders"]+
		", Signature="+hex.EncodeToString(mac(key, text)))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonical is the request as Signature Version 4 signs it for S3.
func canonical(r *http.Request, signedHeaders string) string {
	var query []string
	for name, values := range r.URL.Query() {
		for _, v := range values {
			query = append(query, escape(name)+"="+escape(v))
		}
	}
	slices.Sort(query)
	var headers strings.Builder
	for name := range strings.SplitSeq(signedHeaders, ";") {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10) // the server takes it out of the headers
		}
		headers.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	return strings.Join([]string{r.Method, r.URL.EscapedPath(), strings.Join(query, "&"), headers.String(), signedHeaders,
		r.Header.Get("X-Amz-Content-Sha256")}, "\n")
}

// escape is the encoding of Signature Version 4: a space is %20.
func escape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
