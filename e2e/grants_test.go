package e2e

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"sealreel/local/stack"
)

// grant is one thing that a statement of template.yaml allows.
type grant struct {
	role, action string
	resource     *regexp.Regexp // of what stack.Request calls the resource
}

// ungranted compares all that the functions asked for during the tests with what
// template.yaml allows their roles. It returns a line for each that AWS would
// have denied.
func ungranted(template string) []string {
	grants, err := readGrants(template)
	if err != nil {
		return []string{err.Error()}
	}
	site.mu.Lock()
	defer site.mu.Unlock()
	missing := map[string]bool{}
	for _, r := range site.calls {
		if !strings.HasSuffix(r.Caller, "Function") || allowed(grants, r) {
			continue
		}
		folder := strings.Join(strings.SplitN(r.Resource, "/", 3)[:min(2, strings.Count(r.Resource, "/")+1)], "/")
		missing[fmt.Sprintf("%s: %s on %s", r.Caller, r.Action, folder)] = true
	}
	return slices.Sorted(maps.Keys(missing))
}

func allowed(grants []grant, r stack.Request) bool {
	role := strings.TrimSuffix(r.Caller, "Function") + "Role"
	return slices.ContainsFunc(grants, func(g grant) bool {
		return g.role == role && g.action == r.Action && g.resource.MatchString(r.Resource)
	})
}

// statement is one of a policy. Nodes keep the tags of CloudFormation's short
// forms.
type statement struct {
	Action    yaml.Node `yaml:"Action"`
	Resource  yaml.Node `yaml:"Resource"`
	Condition yaml.Node `yaml:"Condition"`
	Principal struct {
		AWS yaml.Node `yaml:"AWS"`
	} `yaml:"Principal"`
}

type policy struct {
	Statement []yaml.Node `yaml:"Statement"`
}

// readGrants reads the statements of the functions' roles and of the key.
func readGrants(file string) ([]grant, error) {
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var template struct {
		Resources map[string]struct {
			Type       string    `yaml:"Type"`
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(body, &template); err != nil {
		return nil, err
	}
	var all []grant
	for id, r := range template.Resources {
		switch r.Type {
		case "AWS::IAM::Role":
			var p struct {
				Policies []struct {
					PolicyDocument policy `yaml:"PolicyDocument"`
				} `yaml:"Policies"`
			}
			if err := r.Properties.Decode(&p); err != nil {
				return nil, fmt.Errorf("%s: %w", id, err)
			}
			for _, document := range p.Policies {
				all = append(all, grantsOf(document.PolicyDocument, func(statement) []string { return []string{id} })...)
			}
		case "AWS::KMS::Key":
			var p struct {
				KeyPolicy policy `yaml:"KeyPolicy"`
			}
			if err := r.Properties.Decode(&p); err != nil {
				return nil, fmt.Errorf("%s: %w", id, err)
			}
			all = append(all, grantsOf(p.KeyPolicy, func(s statement) []string {
				var roles []string
				for _, arn := range texts(&s.Principal.AWS) {
					roles = append(roles, strings.TrimSuffix(arn, ".Arn"))
				}
				return roles
			})...)
		}
	}
	return all, nil
}

// grantsOf are those of plain statements; what stands in a condition of the
// template is for people, and what S3 may do in a function's name (kms:ViaService)
// the function may not.
func grantsOf(p policy, roles func(statement) []string) []grant {
	var all []grant
	for _, node := range p.Statement {
		var s statement
		if node.Tag != "!!map" || node.Decode(&s) != nil || slices.Contains(texts(&s.Condition), "kms:ViaService") {
			continue
		}
		for _, role := range roles(s) {
			for _, action := range texts(&s.Action) {
				for _, resource := range texts(&s.Resource) {
					all = append(all, grant{role, action, resourcePattern(resource)})
				}
			}
		}
	}
	return all
}

// texts are the scalars of a node, be it one or a list.
func texts(n *yaml.Node) []string {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	var all []string
	for _, item := range n.Content {
		all = append(all, texts(item)...)
	}
	return all
}

// resourcePattern makes of a statement's resource what stack.Request calls it: a
// bucket with a key, the name of a queue, or any key of KMS.
func resourcePattern(resource string) *regexp.Regexp {
	resource = strings.NewReplacer("${AWS::Partition}", "aws", "${AWS::StackName}", "sealreel",
		"${AWS::AccountId}", stack.Account, "${AWS::Region}", stack.Region).Replace(resource)
	resource = strings.TrimPrefix(resource, "arn:aws:s3:::")
	if id, isQueue := strings.CutSuffix(resource, "Queue.Arn"); isQueue {
		return regexp.MustCompile("^sealreel-" + id + "Queue")
	}
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(resource), `\*`, ".*") + "$")
}

// TestGrantsAreRead: what no statement allows is noticed.
func TestGrantsAreRead(t *testing.T) {
	grants, err := readGrants("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	key := stack.Request{Caller: "TranscodeFunction", Action: "kms:Decrypt", Resource: site.keyARN}
	object := stack.Request{Caller: "TranscodeFunction", Action: "s3:PutObject", Resource: site.output + "/a/b.ts"}
	message := stack.Request{Caller: "ReconcileFunction", Action: "sqs:SendMessage", Resource: "sealreel-ChunkQueue"}
	for _, r := range []stack.Request{key, object, message} {
		if !allowed(grants, r) {
			t.Errorf("%+v is not allowed", r)
		}
	}
	made := stack.Request{Caller: "AssembleFunction", Action: "s3:DeleteObject", Resource: site.output + "/a/b.ts"}
	key.Action, object.Resource, message.Caller = "kms:Encrypt", site.ingest+"/a", "AssembleFunction"
	for _, r := range []stack.Request{key, object, message, made} {
		if allowed(grants, r) {
			t.Errorf("%+v is allowed", r)
		}
	}
}
