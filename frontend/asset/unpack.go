package asset

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
)

const (
	maxEntries = 1 << 20  // of an archive
	smallFile  = 1 << 20  // bytes up to which files are stored in batches
	batchBytes = 8 << 20  // of a batch
	maxWindow  = 64 << 20 // bytes of memory that a zstd archive may ask for
)

// unpack stores what an archive holds below a folder of it, "" for all, and
// returns the root's digest.
func (s *Server) unpack(ctx context.Context, f *os.File, by digest.Function, below string) (digest.Digest, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return digest.Digest{}, err
	}
	r, err := decompress(f)
	if err != nil {
		return digest.Digest{}, err
	}
	defer r.Close()
	u := &unpacker{server: s, by: by, files: tree.Files{}, room: s.cfg.MaxBytes}
	if err := u.all(ctx, tar.NewReader(r)); err != nil {
		return digest.Digest{}, err
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(r, s.cfg.MaxBytes)); err != nil { // a checksum stands at the end
		return digest.Digest{}, malformed("%v", err)
	}
	files, err := u.under(below)
	if err != nil {
		return digest.Digest{}, err
	}
	m, err := tree.BuildBy(by, files)
	if err != nil {
		return digest.Digest{}, malformed("%v", err)
	}
	return m.Root, m.Upload(ctx, s.cfg.Store)
}

func malformed(format string, args ...any) error {
	return status.Errorf(codes.Aborted, "unpack: "+format, args...)
}

// decompress finds out by its first bytes how an archive is packed.
func decompress(f io.Reader) (io.ReadCloser, error) {
	r := bufio.NewReaderSize(f, 1<<20)
	head, err := r.Peek(262)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, malformed("%v", err)
		}
		return z, nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, malformed("%v", err)
		}
		return z.IOReadCloser(), nil
	case len(head) == 262 && string(head[257:]) == "ustar":
		return io.NopCloser(r), nil
	}
	return nil, malformed("want a tar archive, plain or packed by gzip or zstd")
}

// unpacker stores the files of an archive.
type unpacker struct {
	server *Server
	by     digest.Function
	files  tree.Files
	room   int64 // bytes that may yet come
	batch  []cas.Blob
	size   int
}

func (u *unpacker) all(ctx context.Context, r *tar.Reader) error {
	for n := 0; ; n++ {
		h, err := r.Next()
		if err == io.EOF {
			return u.flush(ctx)
		}
		if err != nil {
			return malformed("%v", err)
		}
		if n == maxEntries {
			return malformed("more than %d entries", maxEntries)
		}
		if err := u.entry(ctx, r, h); err != nil {
			return err
		}
	}
}

func (u *unpacker) entry(ctx context.Context, r io.Reader, h *tar.Header) error {
	at := path.Clean("./" + h.Name)
	if at == ".." || strings.HasPrefix(at, "../") || strings.HasPrefix(h.Name, "/") {
		return malformed("%q leads out", h.Name)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		if at != "." {
			u.files[at] = tree.Entry{Kind: tree.Dir, Digest: u.by.Empty()}
		}
	case tar.TypeReg:
		d, err := u.file(ctx, r, h)
		if err != nil {
			return err
		}
		u.files[at] = tree.Entry{Kind: tree.File, Digest: d, Exec: h.Mode&0o111 != 0}
	case tar.TypeSymlink:
		u.files[at] = tree.Entry{Kind: tree.Symlink, Target: h.Linkname}
	case tar.TypeLink:
		e, ok := u.files[path.Clean("./"+h.Linkname)]
		if !ok || e.Kind == tree.Dir {
			return malformed("%q is a link to %q, which did not come before it", h.Name, h.Linkname)
		}
		u.files[at] = e
	case tar.TypeXGlobalHeader:
	default:
		return malformed("%q is neither file, folder nor link", h.Name)
	}
	return nil
}

func (u *unpacker) file(ctx context.Context, r io.Reader, h *tar.Header) (digest.Digest, error) {
	if u.room -= h.Size; u.room < 0 {
		return digest.Digest{}, status.Errorf(codes.ResourceExhausted, "unpacked it is larger than the limit of %d bytes", u.server.cfg.MaxBytes)
	}
	if h.Size > smallFile {
		return u.large(ctx, r)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return digest.Digest{}, malformed("%v", err)
	}
	d := u.by.Of(b)
	u.batch = append(u.batch, cas.Blob{Digest: d, Data: b})
	if u.size += len(b); u.size > batchBytes {
		return d, u.flush(ctx)
	}
	return d, nil
}

// large stores a file whose digest is only known when all of it has come.
func (u *unpacker) large(ctx context.Context, r io.Reader) (d digest.Digest, err error) {
	f, err := u.server.scratch()
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := io.Copy(f, r); err != nil {
		return d, fmt.Errorf("unpack: %w", err)
	}
	return u.server.putFile(ctx, f, u.by)
}

func (u *unpacker) flush(ctx context.Context) error {
	err := cas.OneError(cas.PutBatch(ctx, u.server.cfg.Store, u.batch))
	u.batch, u.size = nil, 0
	return err
}

// under returns what is below a folder.
func (u *unpacker) under(dir string) (tree.Files, error) {
	if dir == "" {
		return u.files, nil
	}
	files := tree.Files{}
	for name, e := range u.files {
		if rest, ok := strings.CutPrefix(name, dir+"/"); ok {
			files[rest] = e
		}
	}
	if _, is := u.files[dir]; len(files) == 0 && (!is || u.files[dir].Kind != tree.Dir) {
		return nil, status.Errorf(codes.NotFound, "the archive has no folder %q", dir)
	}
	return files, nil
}
