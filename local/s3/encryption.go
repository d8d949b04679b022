package s3

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/metrics"
	"github.com/versity/versitygw/s3api/controllers"
	"github.com/versity/versitygw/s3api/middlewares"
)

// The gateway has no bucket encryption, so these three operations are answered before its routes are reached.

// encryptionConfiguration is the document of PutBucketEncryption and GetBucketEncryption.
type encryptionConfiguration struct {
	XMLName xml.Name         `xml:"ServerSideEncryptionConfiguration"`
	Xmlns   string           `xml:"xmlns,attr,omitempty"`
	Rules   []encryptionRule `xml:"Rule"`
}

type encryptionRule struct {
	Default *struct {
		Algorithm string `xml:"SSEAlgorithm"`
		KMSKeyID  string `xml:"KMSMasterKeyID,omitempty"`
	} `xml:"ApplyServerSideEncryptionByDefault"`
	BucketKey bool `xml:"BucketKeyEnabled"`
	Blocked   *struct {
		Types []string `xml:"EncryptionType"`
	} `xml:"BlockedEncryptionTypes"`
}

// document returns the configuration of a bucket as S3 shows it: since April 2026 always with what is blocked.
func (b *bucketRecord) document() ([]byte, error) {
	var rule encryptionRule
	rule.Default = &struct {
		Algorithm string `xml:"SSEAlgorithm"`
		KMSKeyID  string `xml:"KMSMasterKeyID,omitempty"`
	}{b.Default.Method, b.Default.KMSKeyID}
	rule.BucketKey = b.Default.BucketKey
	blocked := "NONE"
	if b.BlockSSEC {
		blocked = methodCustomer
	}
	rule.Blocked = &struct {
		Types []string `xml:"EncryptionType"`
	}{[]string{blocked}}
	body, err := xml.Marshal(encryptionConfiguration{
		Xmlns: "http://s3.amazonaws.com/doc/2006-03-01/", Rules: []encryptionRule{rule},
	})
	return append([]byte(xml.Header), body...), err
}

// configure applies a document to a bucket. What is blocked stays as it is if the document does not say.
func (s *store) configure(b *bucketRecord, document []byte) error {
	var c encryptionConfiguration
	if err := xml.NewDecoder(bytes.NewReader(document)).Decode(&c); err != nil || len(c.Rules) != 1 {
		return errMalformedXML
	}
	rule := c.Rules[0]
	if rule.Default != nil {
		e, err := s.managed(rule.Default.Algorithm, rule.Default.KMSKeyID, rule.BucketKey, encryption{})
		if err != nil || e.Method == "" {
			return errMalformedXML
		}
		b.Default = e
	}
	if rule.Blocked == nil {
		return nil
	}
	if len(rule.Blocked.Types) != 1 {
		return errMalformedXML
	}
	switch rule.Blocked.Types[0] {
	case "NONE":
		b.BlockSSEC = false
	case methodCustomer:
		b.BlockSSEC = true
	default:
		return errMalformedXML
	}
	return nil
}

// verified are the gateway's checks of a request, for what is answered before its routes are reached.
func (srv *Server) verified() (*controllers.Services, []fiber.Handler) {
	return &controllers.Services{Logger: auditor{}}, []fiber.Handler{
		middlewares.AuthorizePublicBucketAccess(srv.store, "", "", "", srv.region, false),
		middlewares.VerifyPresignedV4Signature(srv.root, &srv.accounts, srv.region, false),
		middlewares.VerifyV4Signature(srv.root, &srv.accounts, srv.region, false, true, false),
		middlewares.VerifyChecksums(false, false, false),
	}
}

// bucketEncryption is the middleware that serves ?encryption.
func (srv *Server) bucketEncryption() fiber.Handler {
	services, verify := srv.verified()
	serve := map[string]fiber.Handler{
		http.MethodGet:    controllers.ProcessHandlers(srv.getEncryption, metrics.ActionGetBucketEncryption, services, verify...),
		http.MethodPut:    controllers.ProcessHandlers(srv.putEncryption, metrics.ActionPutBucketEncryption, services, verify...),
		http.MethodDelete: controllers.ProcessHandlers(srv.deleteEncryption, metrics.ActionDeleteBucketEncryption, services, verify...),
	}
	return func(ctx fiber.Ctx) error {
		handler := serve[ctx.Method()]
		if _, key := splitPath(ctx.Path()); handler == nil || key != "" || !ctx.Request().URI().QueryArgs().Has("encryption") {
			return ctx.Next()
		}
		return handler(ctx)
	}
}

func bucketOf(ctx fiber.Ctx) string { return strings.Trim(ctx.Path(), "/") }

func (srv *Server) admitEncryption(ctx fiber.Ctx, action string) error {
	return srv.store.authorize(exchange{ctx.RequestCtx()}, action, bucketOf(ctx), "", nil)
}

func (srv *Server) getEncryption(ctx fiber.Ctx) (*controllers.Response, error) {
	if err := srv.admitEncryption(ctx, "s3:GetEncryptionConfiguration"); err != nil {
		return &controllers.Response{}, err
	}
	record, err := srv.store.bucket(bucketOf(ctx))
	if err != nil {
		return &controllers.Response{}, srv.store.answerable("GetBucketEncryption", err)
	}
	body, err := record.document()
	ctx.Response().Header.SetContentType(fiber.MIMEApplicationXML)
	return &controllers.Response{Data: body}, srv.store.answerable("GetBucketEncryption", err)
}

func (srv *Server) putEncryption(ctx fiber.Ctx) (*controllers.Response, error) {
	if err := srv.admitEncryption(ctx, "s3:PutEncryptionConfiguration"); err != nil {
		return &controllers.Response{}, err
	}
	err := srv.store.changeBucket(bucketOf(ctx), func(b *bucketRecord) error {
		return srv.store.configure(b, ctx.BodyRaw())
	})
	return &controllers.Response{}, srv.store.answerable("PutBucketEncryption", err)
}

// deleteEncryption sets the default back. Whether S3 then also lifts a block is not documented; here it stays.
func (srv *Server) deleteEncryption(ctx fiber.Ctx) (*controllers.Response, error) {
	if err := srv.admitEncryption(ctx, "s3:PutEncryptionConfiguration"); err != nil {
		return &controllers.Response{}, err
	}
	err := srv.store.changeBucket(bucketOf(ctx), func(b *bucketRecord) error {
		b.Default = encryption{Method: methodS3}
		return nil
	})
	return &controllers.Response{MetaOpts: &controllers.MetaOptions{Status: http.StatusNoContent}},
		srv.store.answerable("DeleteBucketEncryption", err)
}
