package cmd_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// MODULE.bazel names the same direct modules as go.mod: gazelle keeps the BUILD
// files fresh, but not that list.
func TestModuleBazelNamesDirectModules(t *testing.T) {
	bazel, err := os.ReadFile("../MODULE.bazel")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^    "(\w+)",$`).FindAllSubmatch(bazel, -1) {
		listed[string(m[1])] = true
	}
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllSubmatch(mod, -1) {
		repo := repoName(string(m[1]))
		if !listed[repo] {
			t.Errorf("MODULE.bazel does not use %s, for %s", repo, m[1])
		}
		delete(listed, repo)
	}
	for repo := range listed {
		t.Errorf("MODULE.bazel uses %s, which go.mod does not require", repo)
	}
}

// repoName is gazelle's name of a module's repository.
func repoName(module string) string {
	host, rest, _ := strings.Cut(module, "/")
	labels := strings.Split(host, ".")
	for i, j := 0, len(labels)-1; i < j; i, j = i+1, j-1 {
		labels[i], labels[j] = labels[j], labels[i]
	}
	return strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(strings.ToLower(strings.Join(labels, "_") + "/" + rest))
}
