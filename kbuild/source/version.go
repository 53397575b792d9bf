package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

var versionLine = regexp.MustCompile(`(?m)^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) *= *(\S*)`)

// Version is the version that the tree in dir gives itself, such as "7.2.12".
func Version(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, "Makefile"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read kernel version: %s is no kernel tree, it has no Makefile", dir)
	}
	if err != nil {
		return "", fmt.Errorf("read kernel version: %w", err)
	}
	parts := map[string]string{}
	for _, m := range versionLine.FindAllSubmatch(b, 4) {
		parts[string(m[1])] = string(m[2])
	}
	if parts["VERSION"] == "" {
		return "", fmt.Errorf("read kernel version: %s is not the Makefile of a kernel tree", filepath.Join(dir, "Makefile"))
	}
	return parts["VERSION"] + "." + parts["PATCHLEVEL"] + "." + parts["SUBLEVEL"] + parts["EXTRAVERSION"], nil
}
