package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"sealreel/local/iam"
	"sealreel/local/stack"
)

// refused are the requests of functions that template.yaml doesn't allow, or that
// a pipeline's role or its session policy should have allowed. A line for each;
// roles that tests make in order to be refused are left out.
func refused() []string {
	site.mu.Lock()
	defer site.mu.Unlock()
	lines := map[string]bool{}
	for _, r := range site.calls {
		if !r.Denied || !strings.HasSuffix(r.Caller, "Function") || !ofTemplate(r.RoleARN) || r.Service == "sts" {
			continue
		}
		folder := strings.Join(strings.SplitN(r.Resource, "/", 3)[:min(2, strings.Count(r.Resource, "/")+1)], "/")
		lines[fmt.Sprintf("%s: %s on %s", r.Caller, r.Action, folder)] = true
	}
	return slices.Sorted(maps.Keys(lines))
}

// ofTemplate says whether a role is one of template.yaml's.
func ofTemplate(arn string) bool {
	for _, r := range site.Template().Roles {
		if r.ARN == arn {
			return true
		}
	}
	return false
}

// spare is what template.yaml grants though no test needs it, by the Sid of the
// statement and the action, with the reason.
var spare = map[string]string{
	"PassWork s3:AbortMultipartUpload": "an encoder has to die in the middle of a part of more than 8 MiB; the tests of s3store do that",
	"StoreCaptions s3:PutObject":       "reconcile reads captions of the drops that ingest missed",
}

// unused are the grants of template.yaml that allowed nothing in all the tests,
// and the spare ones that did.
func unused() []string {
	site.mu.Lock()
	defer site.mu.Unlock()
	var lines []string
	left := map[string]bool{}
	for _, g := range stack.Unused(site.Grants(), site.calls) {
		if strings.Contains(g.Resource, ":role/") && g.Resource != roleARN("tenant-a") {
			continue // a role that a test makes in order to be refused
		}
		name := g.Sid + " " + g.Action
		if left[name] = true; spare[name] == "" {
			lines = append(lines, fmt.Sprintf("%s: %s: %s on %s", g.Role, g.Sid, g.Action, g.Resource))
		}
	}
	for name := range spare {
		if !left[name] {
			lines = append(lines, name+" is used: take it out of the list of spare grants")
		}
	}
	slices.Sort(lines)
	return lines
}

// TestGrantsAreCounted: what is granted and not used is noticed, and what is used
// is not.
func TestGrantsAreCounted(t *testing.T) {
	role := site.Template().Roles[0].ARN
	used := stack.Grant{Role: role, Grant: iam.Grant{Policy: "p", Sid: "Used", Action: "s3:GetObject", Resource: "*"}}
	idle := stack.Grant{Role: role, Grant: iam.Grant{Policy: "p", Sid: "Idle", Action: "s3:GetObject", Resource: "*"}}
	calls := []stack.Request{{Caller: "IngestFunction", RoleARN: role, By: []iam.Grant{used.Grant}}}
	if got := stack.Unused([]stack.Grant{used, idle}, calls); !slices.Equal(got, []stack.Grant{idle}) {
		t.Errorf("unused are %v", got)
	}
	if all := site.Grants(); len(all) < 50 {
		t.Errorf("only %d grants", len(all))
	}
}
