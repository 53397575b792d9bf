package asset

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"hash"
	"io"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// algorithms are those of Subresource Integrity.
var algorithms = map[string]func() hash.Hash{"sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}

// errChecksum says that content has none of the checksums asked for.
var errChecksum = errors.New("content has another checksum")

// sums are checksums one of which a content must have; none at all is no demand.
type sums []sum

type sum struct {
	want string
	hash hash.Hash
}

// parseSRI reads checksums with white space between them: ALGORITHM-BASE64.
// Algorithms that are not known do not count, as the specification has it, but
// one must be.
func parseSRI(s string) (sums, error) {
	var all sums
	for _, word := range strings.Fields(s) {
		algorithm, value, _ := strings.Cut(word, "-")
		value, _, _ = strings.Cut(value, "?") // options, of which there are none yet
		make, known := algorithms[algorithm]
		if !known {
			continue
		}
		want, err := base64.StdEncoding.DecodeString(value)
		h := make()
		if err != nil || len(want) != h.Size() {
			return nil, status.Errorf(codes.InvalidArgument, "checksum.sri %q: want %s- and %d bytes in base64", word, algorithm, h.Size())
		}
		all = append(all, sum{string(want), h})
	}
	if len(all) == 0 {
		return nil, status.Errorf(codes.InvalidArgument, "checksum.sri %q: want sha256-, sha384- or sha512- and the checksum in base64", s)
	}
	return all, nil
}

// writer is where the content is to be written.
func (s sums) writer() io.Writer {
	all := make([]io.Writer, len(s))
	for i := range s {
		all[i] = s[i].hash
	}
	return io.MultiWriter(all...)
}

// check returns errChecksum if what was written has none of the checksums.
func (s sums) check() error {
	for _, one := range s {
		if string(one.hash.Sum(nil)) == one.want {
			return nil
		}
	}
	if len(s) == 0 {
		return nil
	}
	return errChecksum
}

func (s sums) read(r io.Reader) error {
	if _, err := io.Copy(s.writer(), r); err != nil {
		return err
	}
	return s.check()
}
