package asset_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	pb "github.com/bazelbuild/remote-apis/build/bazel/remote/asset/v1"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/frontend/asset"
)

func sri(b []byte) string {
	sum := sha512.Sum512(b)
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

func TestFetchFromOrigin(t *testing.T) {
	r := start(t)
	content := castest.Bytes(1, 3<<20)
	r.files["/allowed/x.tar"] = content
	at := r.origin.URL + "/allowed/x.tar"
	for _, f := range digest.Functions() {
		before := r.asked.Load()
		req := &pb.FetchBlobRequest{Uris: []string{r.origin.URL + "/allowed/gone", at}, Qualifiers: with("checksum.sri", sri(content)), DigestFunction: f.Proto()}
		r.wantBlob("from the second URI", req, f, content)
		r.wantBlob("again", req, f, content)
		if n := r.asked.Load() - before; n != 2 {
			t.Errorf("by %v: the origin was asked %d times, want once for each URI", f, n)
		}
	}
	req := blobOf(at)
	r.wantBlob("without a checksum", req, digest.SHA256, content)
	r.files["/allowed/x.tar"] = []byte("newer")
	r.wantBlob("an older one will do", req, digest.SHA256, content)
	req.OldestContentAccepted = timestamppb.Now()
	r.wantBlob("a newer one is asked for", req, digest.SHA256, []byte("newer"))
	if left, err := os.ReadDir(r.dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestFetchIsRefused asks for what nobody allowed, in ways that look as if.
func TestFetchIsRefused(t *testing.T) {
	r := start(t)
	r.files["/allowed/x"], r.files["/allowedx"], r.files["/secret"] = []byte("x"), []byte("no"), []byte("no")
	host := strings.TrimPrefix(r.origin.URL, "http://")
	for what, c := range map[string]struct {
		uri  string
		want codes.Code
	}{
		"another path":            {r.origin.URL + "/secret", codes.PermissionDenied},
		"a longer name":           {r.origin.URL + "/allowedx", codes.PermissionDenied},
		"upwards":                 {r.origin.URL + "/allowed/../secret", codes.NotFound},
		"upwards, encoded":        {r.origin.URL + "/allowed/%2e%2e/secret", codes.NotFound},
		"with a user":             {"http://user@" + host + "/allowed/x", codes.NotFound},
		"another host":            {"http://evil.example/allowed/x", codes.PermissionDenied},
		"another scheme":          {"https://" + host + "/allowed/x", codes.PermissionDenied},
		"a file":                  {"file:///etc/passwd", codes.PermissionDenied},
		"a scheme that is no way": {"ftp://" + host + "/allowed/x", codes.NotFound},
		"no URI at all":           {"%zz", codes.NotFound},
		"not there":               {r.origin.URL + "/allowed/gone", codes.NotFound},
		"pointed outside":         {r.origin.URL + "/allowed/r?to=/secret", codes.PermissionDenied},
		"pointed to a file":       {r.origin.URL + "/allowed/r?to=file:///etc/passwd", codes.PermissionDenied},
		"pointed inside":          {r.origin.URL + "/allowed/r?to=/allowed/x", codes.OK},
	} {
		r.wantStatus(what, blobOf(c.uri), c.want)
	}
	none := start(t, func(c *asset.Config) { c.Origins = nil })
	none.wantStatus("no origins", blobOf(none.origin.URL+"/allowed/x"), codes.PermissionDenied)
	reader := start(t, func(c *asset.Config) { c.MayFetch = nobody })
	reader.wantStatus("who may not write", blobOf(reader.origin.URL+"/allowed/x"), codes.PermissionDenied)
	if none.asked.Load()+reader.asked.Load() > 0 {
		t.Error("an origin was asked all the same")
	}
}

func TestFetchIsChecked(t *testing.T) {
	r := start(t, func(c *asset.Config) { c.MaxBytes = 1000 })
	r.files["/allowed/x"], r.files["/allowed/big"] = []byte("x"), make([]byte, 1001)
	at := r.origin.URL + "/allowed/x"
	req := &pb.FetchBlobRequest{Uris: []string{at}, Qualifiers: with("checksum.sri", sri([]byte("y")))}
	r.wantStatus("wrong checksum", req, codes.Aborted)
	if ds := r.store.Digests(); len(ds) > 0 {
		t.Errorf("stored all the same: %v", ds)
	}
	req.Qualifiers = with("checksum.sri", sri([]byte("y"))+" "+sri([]byte("x")))
	r.wantBlob("one of two checksums", req, digest.SHA256, []byte("x"))
	r.wantStatus("too large", blobOf(r.origin.URL+"/allowed/big"), codes.ResourceExhausted)
	r.wantBlob("what does not change it", &pb.FetchBlobRequest{Uris: []string{at}, Qualifiers: with("bazel.canonical_id", "c")}, digest.SHA256, []byte("x"))
	_, err := r.fetch.FetchBlob(t.Context(), &pb.FetchBlobRequest{Uris: []string{at}, Qualifiers: with("vcs.branch", "main")})
	wantCode(t, "unknown qualifier", err, codes.InvalidArgument)
	details := status.Convert(err).Details()
	if len(details) != 1 || details[0].(*errdetails.BadRequest).FieldViolations[0].Description != `"vcs.branch" not supported` {
		t.Errorf("details %v", details)
	}
	_, err = r.fetch.FetchBlob(t.Context(), &pb.FetchBlobRequest{})
	wantCode(t, "no URI", err, codes.InvalidArgument)
}

// TestFetchesOfOneAssetAreOne has the origin wait until all clients do.
func TestFetchesOfOneAssetAreOne(t *testing.T) {
	release, asked := make(chan struct{}), make(chan struct{}, 10)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-release
		_, _ = io.WriteString(w, "slow")
	}))
	t.Cleanup(slow.Close)
	origins, err := asset.NewOrigins([]string{slow.URL})
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, func(c *asset.Config) { c.Origins = origins })
	ctx, impatient := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		_, err := r.fetch.FetchBlob(ctx, blobOf(slow.URL+"/x"))
		wantCode(t, "who gives up", err, codes.Canceled)
	})
	<-asked
	impatient() // what it began goes on
	all.Wait()
	all.Go(func() { r.wantBlob("who waits", blobOf(slow.URL+"/x"), digest.SHA256, []byte("slow")) })
	req := blobOf(slow.URL + "/y")
	req.Timeout = durationpb.New(10 * time.Millisecond)
	r.wantStatus("too slow", req, codes.DeadlineExceeded)
	<-asked
	close(release)
	all.Wait()
	if len(asked) > 0 {
		t.Error("the origin was asked twice for one asset")
	}
}

func TestFetchFromFiles(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"open/a/x": "x", "secret": "no"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret", filepath.Join(dir, "open/link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "open/pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	origins, err := asset.NewOrigins([]string{"file://" + dir + "/open"})
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, func(c *asset.Config) { c.Origins = origins })
	r.wantBlob("a file", blobOf("file://"+dir+"/open/a/x"), digest.SHA256, []byte("x"))
	r.wantStatus("absent", blobOf("file://"+dir+"/open/a/y"), codes.NotFound)
	for _, name := range []string{"secret", "open/link", "open/pipe", "open/a"} {
		r.wantStatus(name, blobOf("file://"+dir+"/"+name), codes.PermissionDenied)
	}
}

func TestOrigins(t *testing.T) {
	for _, p := range []string{"", "x", "ftp://h/", "https:///x", "file://host/x", "https://u:p@h/", "https://h/a/../b", "https://h//a"} {
		if _, err := asset.NewOrigins([]string{p}); err == nil {
			t.Errorf("%q is an origin", p)
		}
	}
}

func TestFetchDirectoryUnpacks(t *testing.T) {
	r := start(t)
	big := strings.Repeat("big", 1<<19)
	r.files["/allowed/t.tar.gz"] = archive(t,
		&tar.Header{Typeflag: tar.TypeDir, Name: "top/", Mode: 0o755}, &tar.Header{Typeflag: tar.TypeDir, Name: "top/empty/", Mode: 0o755},
		file("top/bin/cc", "#!", 0o755), file("./top/big", big, 0o644),
		&tar.Header{Typeflag: tar.TypeLink, Name: "top/bin/gcc", Linkname: "top/bin/cc"},
		&tar.Header{Typeflag: tar.TypeSymlink, Name: "top/lib", Linkname: "../usr/lib"})
	want := map[string]string{"empty": "dir", "bin/cc": "*#!", "bin/gcc": "*#!", "big": big, "lib": "->../usr/lib"}
	whole := map[string]string{}
	for name, content := range want {
		whole["top/"+name] = content
	}
	for _, f := range digest.Functions() {
		for dir, want := range map[string]map[string]string{"": whole, "top": want} {
			req := &pb.FetchDirectoryRequest{Uris: []string{r.origin.URL + "/allowed/t.tar.gz"}, DigestFunction: f.Proto()}
			if dir != "" {
				req.Qualifiers = with("directory", dir)
			}
			resp, err := r.fetch.FetchDirectory(t.Context(), req)
			if err != nil || resp.Status.GetCode() != 0 {
				t.Fatalf("%v, %v", resp, err)
			}
			root, err := f.FromProto(resp.RootDirectoryDigest)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, r.contents(root)); diff != "" {
				t.Errorf("%v, %q (-want +got)\n%s", f, dir, diff)
			}
		}
	}
}

// contents is what a tree holds.
func (r *rig) contents(root digest.Digest) map[string]string {
	r.t.Helper()
	files, err := tree.Load(r.t.Context(), r.store, root, tree.Limits{})
	if err != nil {
		r.t.Fatal(err)
	}
	out := map[string]string{}
	for name, e := range files {
		switch e.Kind {
		case tree.Symlink:
			out[name] = "->" + e.Target
		case tree.Dir:
			out[name] = "dir"
		default:
			content, err := r.store.Get(r.t.Context(), e.Digest, 0)
			if err != nil {
				r.t.Fatal(err)
			}
			b, err := io.ReadAll(content)
			if err != nil {
				r.t.Fatal(err)
			}
			out[name] = map[bool]string{true: "*"}[e.Exec] + string(b)
		}
	}
	return out
}

func TestHostileArchives(t *testing.T) {
	r := start(t, func(c *asset.Config) { c.MaxBytes = 1 << 20 })
	good := archive(t, file("a", "a", 0o644))
	for what, c := range map[string]struct {
		archive []byte
		want    codes.Code
	}{
		"upwards":                       {archive(t, file("../a", "a", 0o644)), codes.Aborted},
		"upwards within":                {archive(t, file("a/../../b", "a", 0o644)), codes.Aborted},
		"absolute":                      {archive(t, file("/etc/passwd", "a", 0o644)), codes.Aborted},
		"a device":                      {archive(t, &tar.Header{Typeflag: tar.TypeBlock, Name: "d"}), codes.Aborted},
		"a link to what is not there":   {archive(t, &tar.Header{Typeflag: tar.TypeLink, Name: "l", Linkname: "../../etc/passwd"}), codes.Aborted},
		"a file below a file":           {archive(t, file("a", "a", 0o644), file("a/b", "b", 0o644)), codes.Aborted},
		"a file below a link":           {archive(t, &tar.Header{Typeflag: tar.TypeSymlink, Name: "l", Linkname: "/etc"}, file("l/passwd", "b", 0o644)), codes.Aborted},
		"cut off":                       {good[:len(good)-10], codes.Aborted},
		"no archive":                    {bytes.Repeat([]byte("x"), 1000), codes.Aborted},
		"nothing":                       {nil, codes.Aborted},
		"a bomb":                        {archive(t, file("a", strings.Repeat("0", 1<<20+1), 0o644)), codes.ResourceExhausted},
		"many that are a bomb together": {archive(t, file("a", strings.Repeat("0", 1<<19), 0o644), file("b", strings.Repeat("1", 1<<19+1), 0o644)), codes.ResourceExhausted},
	} {
		at := "/allowed/" + strings.ReplaceAll(what, " ", "-")
		r.files[at] = c.archive
		resp, err := r.fetch.FetchDirectory(t.Context(), &pb.FetchDirectoryRequest{Uris: []string{r.origin.URL + at}})
		if err != nil || codes.Code(resp.Status.GetCode()) != c.want {
			t.Errorf("%s: %v, %v, want %v", what, resp, err, c.want)
		}
	}
	r.files["/allowed/x"] = good
	resp, err := r.fetch.FetchDirectory(t.Context(), &pb.FetchDirectoryRequest{Uris: []string{r.origin.URL + "/allowed/x"}, Qualifiers: with("directory", "b")})
	if err != nil || codes.Code(resp.Status.GetCode()) != codes.NotFound {
		t.Errorf("a folder that it lacks: %v, %v", resp, err)
	}
	resp, err = r.fetch.FetchDirectory(t.Context(), &pb.FetchDirectoryRequest{Uris: []string{r.origin.URL + "/allowed/x"}, DigestFunction: repb.DigestFunction_UNKNOWN})
	if err != nil || resp.Status.GetCode() != 0 {
		t.Errorf("a good one: %v, %v", resp, err)
	}
}
