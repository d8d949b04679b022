// Package sealreel_test holds the whole project to its layout: which way the
// imports point, how long a file may be, and what must not be left in it. It
// needs nothing but the source, so it runs where no linter is installed.
package sealreel_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	maxLines    = 700
	maxFileSize = 1 << 20 // bytes; nothing written by hand is longer
)

// adapters are the packages that may import an AWS library: each turns one
// service into an interface that a package of rules declares, and wiring puts
// them together for the functions.
var adapters = []string{"pkg/kmskeys", "pkg/s3store", "pkg/snstopic", "pkg/sqsqueue", "pkg/stsrole", "pkg/tlsonly", "pkg/wiring"}

// eventTypes are the shapes of the events that functions get: data without
// behaviour, free for all.
const eventTypes = "github.com/aws/aws-lambda-go/events"

// arrows says what may import what: a folder's packages import nothing of the
// module's own but what is listed.
var arrows = map[string][]string{
	"pkg":       {"pkg"},
	"functions": {"pkg"},
	"events":    {"pkg"},
	"traces":    {"pkg", "traces"},
	"layers":    {"pkg"},
	"local":     {"pkg", "local"},
	"cmd":       {"pkg", "local", "cmd"},
}

// vagueNames say nothing about what a package holds.
var vagueNames = []string{"utils", "util", "helper", "helpers", "common", "manager", "misc", "shared"}

// mediaTypes are not kept in the repository: tests make what they need.
var mediaTypes = []string{".mp4", ".mov", ".m4a", ".m4v", ".mkv", ".webm", ".ts", ".avi", ".flv", ".mxf", ".wav", ".mp3",
	".aac", ".flac", ".ogg", ".mpg", ".h264", ".264", ".265", ".y4m", ".yuv"}

// unfinished finds marks of work left to do. Split, so that this file has none.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|X` + `XX|HA` + `CK)\b|(?i:not (yet )?impl` + `emented)`)

// eachFile calls visit with the slash-separated path of every file that could
// be committed.
func eachFile(t *testing.T, visit func(name string)) {
	t.Helper()
	ignored := ignoredPaths(t)
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(file)
		if slices.Contains(ignored, name) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.Type().IsRegular() {
			visit(name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ignoredPaths are the rooted lines of .gitignore, and git's own folder.
func ignoredPaths(t *testing.T) []string {
	t.Helper()
	doc, err := os.ReadFile(".gitignore")
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{".git"}
	for line := range strings.Lines(string(doc)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "/") {
			paths = append(paths, strings.Trim(line, "/"))
		}
	}
	return paths
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	doc, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// goFiles returns the parsed source files by folder.
func goFiles(t *testing.T) map[string]map[string]*ast.File {
	t.Helper()
	folders := map[string]map[string]*ast.File{}
	set := token.NewFileSet()
	eachFile(t, func(name string) {
		if path.Ext(name) != ".go" {
			return
		}
		parsed, err := parser.ParseFile(set, filepath.FromSlash(name), nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			t.Error(err)
			return
		}
		folder := path.Dir(name)
		if folders[folder] == nil {
			folders[folder] = map[string]*ast.File{}
		}
		folders[folder][name] = parsed
	})
	return folders
}

func TestImportsPointOneWay(t *testing.T) {
	for folder, files := range goFiles(t) {
		for name, file := range files {
			for _, spec := range file.Imports {
				imported, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				if complaint := badImport(folder, strings.HasSuffix(name, "_test.go"), imported); complaint != "" {
					t.Errorf("%s imports %s: %s", name, imported, complaint)
				}
			}
		}
	}
}

// badImport says what is wrong with an import, or nothing.
func badImport(folder string, test bool, imported string) string {
	top, _, _ := strings.Cut(folder, "/")
	if own, ok := strings.CutPrefix(imported, "sealreel/"); ok {
		target, _, _ := strings.Cut(own, "/")
		allowed, listed := arrows[top]
		if listed && !slices.Contains(allowed, target) {
			return fmt.Sprintf("%s imports only %s", top, strings.Join(allowed, " and "))
		}
		return ""
	}
	aws := strings.HasPrefix(imported, "github.com/aws/") && imported != eventTypes
	if aws && top == "pkg" && !test && !slices.Contains(adapters, folder) {
		return "only " + strings.Join(adapters, ", ") + " know AWS; declare an interface instead"
	}
	return ""
}

// The rules above can fail.
func TestBadImport(t *testing.T) {
	for _, c := range []struct {
		folder, imported string
		test, bad        bool
	}{
		{"pkg/plan", "sealreel/pkg/job", false, false},
		{"pkg/plan", "sealreel/functions/ingest", false, true},
		{"pkg/plan", "sealreel/local/s3", true, true},
		{"pkg/plan", "github.com/aws/aws-sdk-go-v2/aws", false, true},
		{"pkg/plan", "github.com/aws/aws-sdk-go-v2/aws", true, false},
		{"pkg/s3store", "github.com/aws/aws-sdk-go-v2/aws", false, false},
		{"pkg/plan", "github.com/aws/aws-lambda-go/events", false, false},
		{"pkg/plan", "github.com/aws/aws-lambda-go/lambda", false, true},
		{"functions/ingest", "sealreel/pkg/job", false, false},
		{"functions/ingest", "sealreel/functions/assemble", false, true},
		{"local/lambda", "sealreel/cmd/sealreel", false, true},
		{"cmd/sealreel", "sealreel/local/stack", false, false},
	} {
		if got := badImport(c.folder, c.test, c.imported); (got != "") != c.bad {
			t.Errorf("%s importing %s (test %v): %q", c.folder, c.imported, c.test, got)
		}
	}
}

// A package says in one place what it guarantees.
func TestPackagesAreDocumented(t *testing.T) {
	for folder, files := range goFiles(t) {
		documented, source := 0, 0
		for name, file := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			source++
			if file.Doc != nil && len(file.Doc.Text()) > 0 {
				documented++
			}
			if slices.Contains(vagueNames, file.Name.Name) {
				t.Errorf("%s: package %s: name it after what it holds", name, file.Name.Name)
			}
		}
		if source > 0 && documented != 1 {
			t.Errorf("%s: %d of its files have a package comment, want 1", folder, documented)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	eachFile(t, func(name string) {
		if ext := path.Ext(name); ext != ".go" && ext != ".sh" {
			return
		}
		if lines := bytes.Count(readFile(t, name), []byte("\n")); lines > maxLines {
			t.Errorf("%s has %d lines, at most %d: one concept a file", name, lines, maxLines)
		}
	})
}

func TestNothingIsLeftUnfinished(t *testing.T) {
	eachFile(t, func(name string) {
		doc := readFile(t, name)
		if !utf8.Valid(doc) || path.Base(name) == "go.sum" || path.Base(name) == "LICENSE" {
			return
		}
		for i, line := range bytes.Split(doc, []byte("\n")) {
			if found := unfinished.Find(line); found != nil {
				t.Errorf("%s:%d: %q is left", name, i+1, found)
			}
		}
	})
}

// contextless finds log lines that can't name the request and the job.
var contextless = regexp.MustCompile(`\b[lL]og\.(Debug|Info|Warn|Error)\(`)

// Functions log with the context, from which lines have their members (pkg/logs).
func TestLinesAreLoggedWithTheirContext(t *testing.T) {
	eachFile(t, func(name string) {
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || !strings.HasPrefix(name, "pkg/") {
			return
		}
		if found := contextless.Find(readFile(t, name)); found != nil {
			t.Errorf("%s: %s…): use the method that takes a context", name, found)
		}
	})
	if !contextless.MatchString(`a.Log.Warn("x")`) || contextless.MatchString(`a.Log.WarnContext(ctx, "x")`) {
		t.Error("the pattern does not tell one from the other")
	}
}

func TestNoMediaAndNoLargeFiles(t *testing.T) {
	eachFile(t, func(name string) {
		if slices.Contains(mediaTypes, strings.ToLower(path.Ext(name))) {
			t.Errorf("%s: tests make their media; none is kept here", name)
		}
		info, err := os.Stat(filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > maxFileSize {
			t.Errorf("%s has %d bytes, at most %d", name, info.Size(), maxFileSize)
		}
	})
}
