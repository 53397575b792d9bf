package main

import (
	"os"
	"path/filepath"
	"testing"

	assetpb "github.com/bazelbuild/remote-apis/build/bazel/remote/asset/v1"
	"google.golang.org/grpc/codes"
)

// TestAssets fetches an archive from where a flag allows it, and finds it after
// a kill though its origin is gone. Nobody may push who has no grant.
func TestAssets(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	name := filepath.Join(dir, "x")
	if err := os.WriteFile(name, []byte("archive"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"serve", "--listen", "127.0.0.1:0", "--state", state, "--asset_origin", "file://" + dir}
	for _, gone := range []bool{false, true} {
		p := spawn(t, args...)
		c := connect(t, p.addr)
		resp, err := assetpb.NewFetchClient(c.conn).FetchBlob(t.Context(), &assetpb.FetchBlobRequest{Uris: []string{"file://" + name}})
		if err != nil || resp.Status.GetCode() != 0 {
			t.Fatalf("origin gone is %t: %v, %v", gone, resp, err)
		}
		if got := string(c.blob(resp.BlobDigest)); got != "archive" {
			t.Errorf("fetched %q", got)
		}
		resp, err = assetpb.NewFetchClient(c.conn).FetchBlob(t.Context(), &assetpb.FetchBlobRequest{Uris: []string{"file:///etc/passwd"}})
		if err != nil || codes.Code(resp.GetStatus().GetCode()) != codes.PermissionDenied {
			t.Errorf("from elsewhere: %v, %v", resp, err)
		}
		_, err = assetpb.NewPushClient(c.conn).PushBlob(t.Context(), &assetpb.PushBlobRequest{Uris: []string{"urn:x"}, BlobDigest: resp.GetBlobDigest()})
		wantCode(t, "push", err, codes.PermissionDenied)
		p.kill()
		if err := os.Remove(name); err != nil && !gone {
			t.Fatal(err)
		}
	}
}
