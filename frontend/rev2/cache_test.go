package rev2_test

import (
	"bytes"
	"context"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

func TestGetActionResult(t *testing.T) {
	r := start(t)
	big := bytes.Repeat([]byte("x"), 2<<20)
	result := &repb.ActionResult{
		StdoutDigest: r.put([]byte("out")).Proto(),
		StderrDigest: r.put(big).Proto(),
		OutputFiles:  []*repb.OutputFile{{Path: "f", Digest: r.put([]byte("file")).Proto()}, {Path: "g", Digest: r.put([]byte("other")).Proto()}},
	}
	d := r.action("result")
	if err := r.cache.SetResult(t.Context(), d, result); err != nil {
		t.Fatal(err)
	}
	got, err := r.ac.GetActionResult(t.Context(), &repb.GetActionResultRequest{ActionDigest: d.Proto()})
	if err != nil || len(got.StdoutRaw)+len(got.OutputFiles[0].Contents) > 0 {
		t.Errorf("plain: %v, %v", got, err)
	}
	got, err = r.ac.GetActionResult(t.Context(), &repb.GetActionResultRequest{
		ActionDigest: d.Proto(), InlineStdout: true, InlineStderr: true, InlineOutputFiles: []string{"f"}})
	if err != nil || string(got.StdoutRaw) != "out" || string(got.OutputFiles[0].Contents) != "file" {
		t.Errorf("inlined: %v, %v", got, err)
	}
	if len(got.StderrRaw)+len(got.OutputFiles[1].Contents) > 0 {
		t.Error("too much or unwanted content is inlined")
	}
	_, err = r.ac.GetActionResult(t.Context(), &repb.GetActionResultRequest{ActionDigest: digest.Of([]byte("no")).Proto()})
	wantCode(t, "no result", err, codes.NotFound)
	_, err = r.ac.GetActionResult(t.Context(), &repb.GetActionResultRequest{})
	wantCode(t, "no digest", err, codes.InvalidArgument)
}

// everybodyUpdates lets all callers write action results.
func everybodyUpdates(c *rev2.Config) {
	c.MayUpdate = func(context.Context, string) bool { return true }
}

func TestUpdateActionResultIsAPermission(t *testing.T) {
	update := func(r *rig) error {
		_, err := r.ac.UpdateActionResult(t.Context(), &repb.UpdateActionResultRequest{
			ActionDigest: r.action("mine").Proto(), ActionResult: &repb.ActionResult{}})
		return err
	}
	wantCode(t, "without it", update(start(t)), codes.PermissionDenied)
	wantCode(t, "with it", update(start(t, everybodyUpdates)), codes.OK)
}
