package rev2

import (
	"bytes"
	"io"
	"sync"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory that a compressed stream can ask for, in bytes.
const maxWindow = 8 << 20

// decompress returns the size bytes that data of a batch call stand for.
// Other sizes are left to the digest check, but no more is unpacked.
func decompress(c repb.Compressor_Value, data []byte, size int64) ([]byte, error) {
	switch c {
	case repb.Compressor_IDENTITY:
		return data, nil
	case repb.Compressor_ZSTD:
	default:
		return nil, invalid("compressor %v is not supported", c)
	}
	r, err := unzstd(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, min(size, maxMessage)+1))
	return b, err
}

// packer compresses whole blobs; it may be used by many at a time.
var packer = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
})

// compress returns b packed, or b.
func compress(b []byte) []byte {
	z, err := packer()
	if err != nil {
		return b
	}
	return z.EncodeAll(b, nil)
}

// unzstd unpacks r. What cannot be unpacked is the client's fault.
func unzstd(r io.Reader) (io.ReadCloser, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return unpacker{d.IOReadCloser()}, nil
}

type unpacker struct{ io.ReadCloser }

func (u unpacker) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = invalid("unpack zstd: %w", err)
	}
	return n, err
}
