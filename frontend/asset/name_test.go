package asset

import (
	"testing"

	pb "github.com/bazelbuild/remote-apis/build/bazel/remote/asset/v1"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"
)

// A key is the digest of no Action, whatever is in it: else who may push could
// say what an action's result is.
func FuzzKeyIsNoAction(f *testing.F) {
	f.Add("", "urn:x", "q", "v")
	f.Fuzz(func(t *testing.T, instance, uri, qualifier, value string) {
		n := &name{kind: blob, instance: instance, uri: uri, qualifiers: []*pb.Qualifier{{Name: qualifier, Value: value}}}
		if err := proto.Unmarshal(n.key(), &repb.Action{}); err == nil {
			t.Errorf("%q reads as an action", n.key())
		}
		other := *n
		other.kind = directory
		if string(other.key()) == string(n.key()) {
			t.Errorf("a blob and a directory have one key: %q", n.key())
		}
	})
}
