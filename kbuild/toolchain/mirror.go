package toolchain

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// mirror finds the Debian mirror that this machine's apt uses.
func mirror(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(RELEASE)", "Created-By: Packages").Output()
	if err != nil {
		return "", fmt.Errorf("ask apt for its mirror: %w", err)
	}
	codename, err := osRelease("VERSION_CODENAME")
	if err != nil {
		return "", err
	}
	return pickMirror(string(out), codename)
}

// pickMirror takes the mirror of the release itself, not of its security
// updates, out of lines of "URI CODENAME RELEASE". Before apt-get update the
// codename is missing.
func pickMirror(lines, codename string) (string, error) {
	var other string
	for line := range strings.Lines(lines) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		uri, names := fields[0], fields[1:]
		if slices.Contains(names, codename) {
			return uri, nil
		}
		if other == "" && slices.Contains(names, codename+"-updates") {
			other = uri
		}
	}
	if other == "" {
		return "", fmt.Errorf("apt knows no mirror of Debian %s: check its sources, and run apt-get update", codename)
	}
	return other, nil
}

func osRelease(key string) (string, error) {
	f, err := os.Open("/etc/os-release")
	if err != nil {
		return "", fmt.Errorf("find out the distribution: %w", err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if v, ok := strings.CutPrefix(s.Text(), key+"="); ok {
			return strings.Trim(v, `"`), nil
		}
	}
	return "", fmt.Errorf("find out the distribution: /etc/os-release has no %s", key)
}

// aptOptions are the settings of this machine's apt that reach the mirror.
func aptOptions(ctx context.Context) ([]string, error) {
	out, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return nil, fmt.Errorf("read apt's configuration: %w", err)
	}
	var options []string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		for _, p := range []string{"Acquire::http::", "Acquire::https::", "Acquire::Check-Valid-Until", "Acquire::Retries"} {
			if strings.HasPrefix(line, p) && !strings.HasSuffix(line, ` "";`) {
				options = append(options, strings.TrimSuffix(line, ";"))
			}
		}
	}
	return options, nil
}
