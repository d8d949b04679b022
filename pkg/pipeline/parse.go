package pipeline

import (
	"cmp"
	"encoding/json"
	"errors"
	"strings"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
)

// MaxDocument is the longest pipeline read, in bytes.
const MaxDocument = 256 << 10

// Rules of scalars, as the API's model has them, but for the partitions of AWS
// that it left out.
var (
	bucket = document.Pattern(`^(\w|\.|-){1,255}$`)
	topic  = document.Pattern(`(^$)|(^arn:aws[\w-]*:sns:.*:\w{12}:.+$)`)
	group  = document.OneOf("AllUsers", "AuthenticatedUsers", "LogDelivery")
)

// Parse reads a pipeline as ReadPipeline showed it: strictly and with every
// problem at once, as a *document.ValidationError. Text that is no JSON gives a
// *document.SyntaxError.
func Parse(doc []byte) (*Pipeline, error) {
	root, err := document.Parse(doc, MaxDocument)
	if err != nil {
		return nil, err
	}
	if !root.Has("Id") {
		root.Missing("Id")
	}
	p := read(root, "")
	if err := root.Problems().Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// read reads a pipeline and closes it. One without an Id gets the one given.
func read(root *document.Object, id string) *Pipeline {
	p := &Pipeline{
		ID:            cmp.Or(root.String("Id", document.Pattern(`^\d{13}-\w{6}$`)), id),
		Arn:           root.String("Arn"),
		Name:          root.Required("Name", document.Length(1, 40)),
		Status:        root.String("Status", document.OneOf(Active, Paused)),
		InputBucket:   root.Required("InputBucket", bucket),
		OutputBucket:  root.String("OutputBucket", bucket),
		Role:          root.String("Role", document.Pattern(`^(arn:aws[\w-]*:iam::\w{12}:role/.+)?$`)),
		AwsKmsKeyArn:  root.String("AwsKmsKeyArn", document.Length(0, 255)),
		Notifications: readNotifications(root.Object("Notifications")),
	}
	if p.Status == "" {
		p.Status = Active
	}
	p.ContentConfig = readOutputConfig(root.Object("ContentConfig"))
	p.ThumbnailConfig = readOutputConfig(root.Object("ThumbnailConfig"))
	checkBuckets(root, p)
	p.Sealreel = readAdditions(root.Object("Sealreel"), p.ID)
	root.Close()
	return p
}

func readNotifications(o *document.Object) *Notifications {
	if o == nil {
		return nil
	}
	defer o.Close()
	return &Notifications{
		Progressing: o.String("Progressing", topic),
		Completed:   o.String("Completed", topic),
		Warning:     o.String("Warning", topic),
		Error:       o.String("Error", topic),
	}
}

func readOutputConfig(o *document.Object) *OutputConfig {
	if o == nil {
		return nil
	}
	defer o.Close()
	return &OutputConfig{
		Bucket:       o.Required("Bucket", bucket),
		StorageClass: o.String("StorageClass", document.BlankOr(document.OneOf(ReducedRedundancy, Standard))),
		Permissions:  readPermissions(o),
	}
}

// maxPermissions is how many grantees a bucket's files may have, and how many
// rights each (API: Permissions, AccessControls).
const maxPermissions = 30

func readPermissions(config *document.Object) []Permission {
	var permissions []Permission
	for _, o := range config.Objects("Permissions", maxPermissions) {
		p := Permission{
			GranteeType: o.Required("GranteeType", document.OneOf(GranteeCanonical, GranteeEmail, GranteeGroup)),
			Grantee:     o.Required("Grantee", document.Length(1, 255)),
			Access:      o.Strings("Access", maxPermissions, document.OneOf("FullControl", "Read", "ReadAcp", "WriteAcp")),
		}
		switch {
		case p.GranteeType == GranteeGroup && p.Grantee != "" && group(p.Grantee) != "":
			o.Problems().Add(o.Path("Grantee"), p.Grantee, group(p.Grantee))
		case p.GranteeType == GranteeEmail && p.Grantee != "" && !strings.Contains(p.Grantee, "@"):
			o.Problems().Add(o.Path("Grantee"), p.Grantee, "Member must be the e-mail address of an AWS account")
		}
		if o.Empty("Access") {
			o.Problems().Addf(o.Path("Access"), "'%s' must name one right or more", o.Path("Access"))
		}
		o.Close()
		permissions = append(permissions, p)
	}
	return permissions
}

// checkBuckets: an output bucket comes from OutputBucket or ContentConfig. A
// pipeline that was read has both, of one bucket.
func checkBuckets(root *document.Object, p *Pipeline) {
	problems := root.Problems()
	switch {
	case !root.Has("OutputBucket") && !root.Has("ContentConfig"):
		problems.Addf(root.Path("OutputBucket"), "[OutputBucket and ContentConfig:Bucket are not allowed to both be null.]")
	case p.OutputBucket != "" && p.ContentConfig != nil && p.ContentConfig.Bucket != p.OutputBucket:
		problems.Addf(root.Path("ContentConfig"), "[OutputBucket and ContentConfig are mutually exclusive.]")
	}
	if p.ThumbnailConfig != nil && !root.Has("ContentConfig") && p.ThumbnailConfig.Bucket != p.OutputBucket {
		problems.Addf(root.Path("ContentConfig"), "[ContentConfig:Bucket is not allowed to be null if ThumbnailConfig is specified.]")
	}
	if root.Has("ContentConfig") && !root.Has("ThumbnailConfig") {
		problems.Addf(root.Path("ThumbnailConfig"), "[ThumbnailConfig:Bucket is not allowed to be null if ContentConfig is specified.]")
	}
}

func readAdditions(o *document.Object, pipelineID string) *Additions {
	if o == nil {
		return nil
	}
	defer o.Close()
	a := &Additions{
		EncryptionContext: o.Map("EncryptionContext", document.Length(1, 4096)),
		InputEncryption:   job.ReadInputEncryption(o.Object("InputEncryption")),
	}
	if drop := o.Object("Drop"); drop != nil {
		a.Drop = readDrop(drop, pipelineID)
	}
	return a
}

func readDrop(o *document.Object, pipelineID string) *Drop {
	defer o.Close()
	d := &Drop{Prefix: o.String("Prefix", document.Length(0, 1024))}
	if !o.Has("Template") {
		o.Problems().Add(o.Path("Template"), "", "Member must be an object: a CreateJob request without PipelineId and Input")
		return d
	}
	template := o.Object("Template")
	if template == nil {
		return d
	}
	for _, name := range []string{"PipelineId", "Input", "Inputs"} {
		if template.Has(name) {
			o.Problems().Addf(template.Path(name), "'%s' must be left out: the dropped file and its pipeline say it.", template.Path(name))
			return d
		}
	}
	d.Template = template.JSON()
	checkTemplate(o, d.Template, pipelineID)
	return d
}

// samples are keys of dropped files, in a folder and outside of one.
var samples = []string{"folder/sample.mp4", "sample.mp4"}

// checkTemplate makes sample jobs of the template, so that a mistake in it
// shows when the pipeline is read and not at the first drop.
func checkTemplate(o *document.Object, template json.RawMessage, pipelineID string) {
	if !job.ValidID(pipelineID) {
		pipelineID = "0000000000000-sample" // its own problem is reported already
	}
	for _, key := range samples {
		_, err := expand(template, pipelineID, key, nil)
		var invalid *document.ValidationError
		switch {
		case errors.As(err, &invalid):
			o.Problems().AddAll(o.Path("Template"), invalid.Problems)
			return
		case err != nil:
			o.Problems().Addf(o.Path("Template"), "'%s': %v", o.Path("Template"), err)
			return
		}
	}
}
