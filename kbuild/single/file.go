package single

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/kbuild/source"
)

// File is a source file of checks.
type File struct {
	Name  string            // slash-separated; positions name the file like this
	Files map[string][]byte // it and what it takes in, by name
}

// suffixes are those of the languages that there are compilers for.
var suffixes = []string{".rs", ".c", ".ll", ".bc"}

// maxSource bounds one source file, in bytes.
const maxSource = 64 << 20

// Read reads files and what they take in: modules and included files of Rust,
// headers of C in quotes. A file below the working folder is named by its path
// from there, any other by as much of its path as tells it from the others.
func Read(paths []string) ([]*File, error) {
	names, err := names(paths)
	if err != nil {
		return nil, err
	}
	var files []*File
	for i, p := range paths {
		f, err := read(p, names[i])
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func names(paths []string) ([]string, error) {
	var all, out []string
	for _, p := range paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", p, err)
		}
		if slices.Contains(all, abs) {
			return nil, fmt.Errorf("%s is named twice", p)
		}
		name := filepath.Clean(p)
		if !filepath.IsLocal(name) {
			name = filepath.Base(abs)
		}
		for elems := 2; slices.Contains(out, name); elems++ {
			if elems > strings.Count(abs, "/") {
				return nil, fmt.Errorf("%s: another file here goes by that name", p)
			}
			name = lastElems(abs, elems)
		}
		all, out = append(all, abs), append(out, filepath.ToSlash(name))
	}
	return out, nil
}

// lastElems is the last n elements of an absolute path, or all of them.
func lastElems(p string, n int) string {
	elems := strings.Split(strings.TrimPrefix(p, "/"), "/")
	return path.Join(elems[max(0, len(elems)-n):]...)
}

func read(file, name string) (*File, error) {
	if !slices.Contains(suffixes, path.Ext(name)) {
		return nil, fmt.Errorf("%s: want a file whose name ends in %s", file, strings.Join(suffixes, ", "))
	}
	if name[0] == '-' || name[0] == '@' {
		return nil, fmt.Errorf("%s: compilers take a name that begins with %c for something else", file, name[0])
	}
	b, err := readFile(file)
	if err != nil {
		return nil, err
	}
	if len(b) == 0 {
		return nil, fmt.Errorf("%s is empty", file)
	}
	f := &File{Name: name, Files: map[string][]byte{name: b}}
	dir := strings.TrimSuffix(filepath.Clean(file), filepath.Base(file))
	switch path.Ext(name) {
	case ".rs":
		return f, f.modules(dir, filepath.Base(file))
	case ".c":
		return f, f.headers(dir, name)
	}
	return f, nil
}

func readFile(file string) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file %s", file)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", file, err)
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder: name the files in it", file)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", file)
	case info.Size() > maxSource:
		return nil, fmt.Errorf("%s has %d bytes: more than %d", file, info.Size(), maxSource)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return b, nil
}

// modules adds the other files of the crate whose root file is base in dir.
func (f *File) modules(dir, base string) error {
	if dir == "" {
		dir = "."
	}
	crate, err := source.NewSources(dir).Crate(base)
	if err != nil {
		return err
	}
	for _, p := range crate.Files {
		b, err := readFile(filepath.Join(dir, filepath.FromSlash(p)))
		if err != nil {
			return err
		}
		f.Files[path.Join(path.Dir(f.Name), p)] = b
	}
	return nil
}

// headers adds the files below dir that file name includes in quotes. Others are
// the toolchain's, or clang misses them and says so.
func (f *File) headers(dir, name string) error {
	for _, inc := range source.Includes(f.Files[name]) {
		quoted, ok := strings.CutPrefix(inc, `"`)
		rel := path.Join(path.Dir(name), quoted)
		if !ok || !filepath.IsLocal(rel) || f.Files[rel] != nil {
			continue
		}
		below, err := filepath.Rel(path.Dir(f.Name), rel)
		if err != nil || !filepath.IsLocal(below) {
			continue
		}
		b, err := readFile(filepath.Join(dir, below))
		if err != nil {
			continue
		}
		f.Files[rel] = b
		if err := f.headers(dir, rel); err != nil {
			return err
		}
	}
	return nil
}
