package s3

import (
	"io"

	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/s3api/utils"
)

// rest is the body of a request that is streamed. It remembers whether its end was seen: reading a chunked body again
// after its end would swallow the next request on the connection, and leaving some of a body unread would have the
// rest of it taken for the next request.
type rest struct {
	body io.Reader
	done bool
}

// Read implements io.Reader.
func (r *rest) Read(p []byte) (int, error) {
	if r.done {
		return 0, io.EOF
	}
	n, err := r.body.Read(p)
	r.done = err != nil
	return n, err
}

// finish is the middleware that reads what a handler left of a body, as one that refuses the request does, or one that
// stops at the end of an encoding inside. Only then a client that is still sending sees the answer.
func finish(ctx fiber.Ctx) error {
	if !ctx.Request().IsBodyStream() {
		return ctx.Next()
	}
	body := &rest{body: ctx.Request().BodyStream()}
	utils.ContextKeyBodyReader.Set(ctx, body) // where the gateway's handlers read from
	err := ctx.Next()
	switch {
	case !ctx.Request().IsBodyStream():
		// It was read into memory.
	case ctx.Method() == fiber.MethodPost:
		ctx.RequestCtx().SetConnectionClose() // a form is read past body, so how far is not known
	default:
		io.Copy(io.Discard, body)
	}
	return err
}
