package asset

import (
	"cmp"
	"slices"

	pb "github.com/bazelbuild/remote-apis/build/bazel/remote/asset/v1"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// kind tells files from trees: a URI may stand for one of each.
type kind string

const (
	blob      kind = "blob"
	directory kind = "directory"
)

// name is what an asset is known by.
type name struct {
	kind       kind
	instance   string
	uri        string
	qualifiers []*pb.Qualifier // sorted by name
	function   digest.Function
}

// named is a request that names assets.
type named interface {
	GetInstanceName() string
	GetUris() []string
	GetQualifiers() []*pb.Qualifier
	GetDigestFunction() repb.DigestFunction_Value
}

// newNames returns a name for each URI of a request. Qualifiers may come in any
// order, each once.
func newNames(kind kind, req named) ([]*name, error) {
	f, err := digest.FunctionFromProto(req.GetDigestFunction())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	qs := slices.SortedFunc(slices.Values(req.GetQualifiers()), func(a, b *pb.Qualifier) int { return cmp.Compare(a.GetName(), b.GetName()) })
	for i, q := range qs {
		if q.GetName() == "" || i > 0 && q.Name == qs[i-1].Name {
			return nil, status.Errorf(codes.InvalidArgument, "qualifier %q stands twice, or has no name", q.GetName())
		}
	}
	var names []*name
	for _, uri := range req.GetUris() {
		if uri == "" {
			return nil, status.Error(codes.InvalidArgument, "a URI is empty")
		}
		names = append(names, &name{kind: kind, instance: req.GetInstanceName(), uri: uri, qualifiers: qs, function: f})
	}
	return names, nil
}

// prefix begins every key. No message begins with a zero byte, so no asset is
// the result of an action that somebody could run.
const prefix = "\x00kvfarm asset 1\n"

// key is n in bytes: equal names have equal keys.
func (n *name) key() []byte {
	// It cannot fail: what came in a message is valid.
	b, _ := proto.MarshalOptions{Deterministic: true}.MarshalAppend([]byte(prefix+string(n.kind)+"\n"), &pb.FetchBlobRequest{
		InstanceName: n.instance, Uris: []string{n.uri}, Qualifiers: n.qualifiers, DigestFunction: n.function.Proto()})
	return b
}
