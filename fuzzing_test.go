package sealreel_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// reads says by its name that a function makes sense of what others wrote.
var reads = regexp.MustCompile(`^(Parse|Decode|Unmarshal|Inspect|Detect|NewReader|FromEnv|ReadFile|ReadRoles)`)

// unread are parameters that hold such text or bytes.
var unread = []string{"[]byte", "string", "io.Reader", "io.ReaderAt", "io.ReadSeeker", "func(string) string"}

// TestParsersAreFuzzed: a package with a function that reads what others wrote has
// a fuzz target.
func TestParsersAreFuzzed(t *testing.T) {
	parsers, fuzzed := map[string][]string{}, map[string]bool{}
	eachFile(t, func(name string) {
		product := slices.Contains([]string{"pkg", "local", "cmd"}, strings.Split(name, "/")[0])
		if path.Ext(name) != ".go" || !product || strings.HasSuffix(path.Dir(name), "test") { // packages for tests read what tests made
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(name), nil, 0)
		if err != nil {
			t.Error(err)
			return
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			switch folder := path.Dir(name); {
			case !ok:
			case strings.HasSuffix(name, "_test.go"):
				fuzzed[folder] = fuzzed[folder] || strings.HasPrefix(f.Name.Name, "Fuzz")
			case reads.MatchString(f.Name.Name) && f.Type.Params.NumFields() > 0 && slices.ContainsFunc(f.Type.Params.List, isUnread):
				parsers[folder] = append(parsers[folder], f.Name.Name)
			}
		}
	})
	for folder, names := range parsers {
		if !fuzzed[folder] {
			t.Errorf("%s has %s and no fuzz target: write one, with seeds of real data", folder, strings.Join(names, ", "))
		}
	}
	if len(parsers) < 20 {
		t.Errorf("only %d packages with parsers were found", len(parsers))
	}
}

func isUnread(f *ast.Field) bool { return slices.Contains(unread, typeName(f.Type)) }

// typeName is a type as it is written, for the few kinds in unread.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return typeName(e.X) + "." + e.Sel.Name
	case *ast.ArrayType:
		if e.Len == nil {
			return "[]" + typeName(e.Elt)
		}
	case *ast.FuncType:
		if e.Params.NumFields() == 1 && e.Results.NumFields() == 1 {
			return "func(" + typeName(e.Params.List[0].Type) + ") " + typeName(e.Results.List[0].Type)
		}
	}
	return ""
}
