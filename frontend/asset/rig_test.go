package asset_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	pb "github.com/bazelbuild/remote-apis/build/bazel/remote/asset/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/complete"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/frontend/asset"
	"github.com/kvfarm/kvfarm/frontend/grpctest"
)

// rig is a server in this process, and an origin that it may fetch from.
type rig struct {
	t     *testing.T
	store *memstore.Store
	dir   string // for what is on its way
	fetch pb.FetchClient
	push  pb.PushClient

	origin *httptest.Server
	files  map[string][]byte // that the origin has
	asked  atomic.Int32      // requests that it got
}

func anybody(context.Context, string) bool { return true }

func nobody(context.Context, string) bool { return false }

// start starts a server that may fetch below /allowed/ of its origin.
func start(t *testing.T, options ...func(*asset.Config)) *rig {
	t.Helper()
	r := &rig{t: t, store: memstore.New(), files: map[string][]byte{}, dir: t.TempDir()}
	r.origin = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.asked.Add(1)
		if to := req.URL.Query().Get("to"); to != "" {
			http.Redirect(w, req, to, http.StatusFound)
			return
		}
		content, ok := r.files[req.URL.Path]
		if !ok {
			http.NotFound(w, req)
			return
		}
		_, _ = w.Write(content) // who does not want it does not get it
	}))
	t.Cleanup(r.origin.Close)
	origins, err := asset.NewOrigins([]string{r.origin.URL + "/allowed/"})
	if err != nil {
		t.Fatal(err)
	}
	cfg := asset.Config{Store: r.store, Results: complete.New(memstore.NewActionCache(), r.store), Origins: origins,
		MayPush: anybody, Dir: r.dir, Log: slog.New(slog.DiscardHandler)}
	for _, o := range options {
		o(&cfg)
	}
	server := grpc.NewServer()
	asset.New(cfg).Register(server)
	conn := grpctest.Connect(t, server, grpctest.Buffer)
	r.fetch, r.push = pb.NewFetchClient(conn), pb.NewPushClient(conn)
	return r
}

func (r *rig) put(b []byte) digest.Digest {
	r.t.Helper()
	d, err := cas.PutBlob(r.t.Context(), r.store, b)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

// wantBlob fetches and looks at what came, and at its content.
func (r *rig) wantBlob(what string, req *pb.FetchBlobRequest, f digest.Function, want []byte) {
	r.t.Helper()
	resp, err := r.fetch.FetchBlob(r.t.Context(), req)
	if err != nil || resp.Status.GetCode() != 0 {
		r.t.Errorf("%s: %v, %v", what, resp, err)
		return
	}
	d, err := f.FromProto(resp.BlobDigest)
	if err != nil || d != f.Of(want) || resp.DigestFunction != f.Proto() {
		r.t.Errorf("%s: %v is %v, %v, want %v", what, resp, d, err, f.Of(want))
		return
	}
	if got, err := cas.ReadBlob(r.t.Context(), r.store, d, 1<<30); err != nil || !bytes.Equal(got, want) {
		r.t.Errorf("%s: content is %d other bytes, %v", what, len(got), err)
	}
}

// wantStatus fetches and wants a code in the response.
func (r *rig) wantStatus(what string, req *pb.FetchBlobRequest, want codes.Code) {
	r.t.Helper()
	resp, err := r.fetch.FetchBlob(r.t.Context(), req)
	if err != nil || codes.Code(resp.Status.GetCode()) != want {
		r.t.Errorf("%s: %v, %v, want %v in the response", what, resp, err, want)
	}
}

func wantCode(t *testing.T, what string, err error, want codes.Code) {
	t.Helper()
	if status.Code(err) != want {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func blobOf(uris ...string) *pb.FetchBlobRequest { return &pb.FetchBlobRequest{Uris: uris} }

func with(name, value string) []*pb.Qualifier {
	return []*pb.Qualifier{{Name: name, Value: value}}
}

// archive is a tar of entries with their contents, packed by gzip.
func archive(t *testing.T, entries ...*tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, h := range entries {
		content := []byte(h.PAXRecords["KVFARM.content"])
		h.PAXRecords = nil
		h.Size = int64(len(content))
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// file is an entry of an archive.
func file(name, content string, mode int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, PAXRecords: map[string]string{"KVFARM.content": content}}
}
