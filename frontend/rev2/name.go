package rev2

import (
	"strings"

	"github.com/google/uuid"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// resource is what a ByteStream name names.
type resource struct {
	digest digest.Digest
	zstd   bool // the stream carries the blob compressed
}

// parseRead takes apart a name to read from:
//
//	[instance/]blobs/[function/]hash/size
//	[instance/]compressed-blobs/zstd/[function/]hash/size
//
// The instance may contain slashes, so the name is parsed from the right.
func parseRead(name string) (resource, error) {
	if r, _, ok := readName(strings.Split(name, "/")); ok {
		return r, nil
	}
	return resource{}, invalid("read name %q: want [instance/]blobs/hash/size with a SHA-256 in lower case, or blake3/hash/size", name)
}

// parseWrite takes apart a name to write to:
//
//	[instance/]uploads/{uuid}/blobs/[function/]hash/size[/metadata]
//	[instance/]uploads/{uuid}/compressed-blobs/zstd/[function/]hash/size[/metadata]
//
// Metadata may be anything, even something that ends like a name; so may the
// instance be. The last place that reads as one is the upload.
func parseWrite(name string) (resource, error) {
	if r, _, ok := writeName(strings.Split(name, "/")); ok {
		return r, nil
	}
	return resource{}, invalid("write name %q: want [instance/]uploads/uuid/blobs/hash/size with a SHA-256 in lower case, or blake3/hash/size", name)
}

// Instance returns the instance that a name for either begins with; "" if it
// names nothing.
func Instance(name string) string {
	if log, ok := parseLog(name); ok {
		return log.instance
	}
	words := strings.Split(name, "/")
	if _, n, ok := writeName(words); ok {
		return strings.Join(words[:n], "/")
	}
	_, n, _ := readName(words)
	return strings.Join(words[:n], "/")
}

// readName reads words, of which the first are the instance's, as what parseRead
// takes.
func readName(words []string) (r resource, instance int, ok bool) {
	for n := 3; n <= 5 && n <= len(words); n++ {
		if r, ok := blobName(words[len(words)-n:]); ok {
			return r, len(words) - n, true
		}
	}
	return r, 0, false
}

// writeName does the same for what parseWrite takes.
func writeName(words []string) (r resource, instance int, ok bool) {
	for i := len(words) - 5; i >= 0; i-- {
		if words[i] != "uploads" || uuid.Validate(words[i+1]) != nil {
			continue
		}
		for n := 3; n <= 5 && i+2+n <= len(words); n++ {
			if r, ok := blobName(words[i+2 : i+2+n]); ok {
				return r, i, true
			}
		}
	}
	return r, 0, false
}

// blobName reads words if all of them are the name of one blob.
func blobName(words []string) (resource, bool) {
	name := strings.Join(words, "/")
	plain, ok := strings.CutPrefix(name, "blobs/")
	zstd := false
	if !ok {
		plain, zstd = strings.CutPrefix(name, "compressed-blobs/zstd/")
	}
	if !ok && !zstd {
		return resource{}, false
	}
	d, err := digest.Parse(plain)
	return resource{digest: d, zstd: zstd}, err == nil
}
