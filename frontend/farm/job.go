package farm

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/worker"
	"github.com/kvfarm/kvfarm/kbuild"
)

// rootDir is where in the input root the toolchain stands.
const rootDir = "root"

// job is a kbuild.Action as REv2 messages.
type job struct {
	*kbuild.Action
	digest digest.Digest            // of the Action message
	inputs tree.Files               // the whole input root
	blobs  map[digest.Digest][]byte // made here: Action, Command, Directories
	files  []digest.Digest          // contents of input files, from list on
	grafts []digest.Digest          // directories that stand for all below them, from list on
}

// newJob makes the messages of a. Equal actions give equal bytes.
func newJob(a *kbuild.Action, defaults map[string]string) (*job, error) {
	if len(a.Argv) == 0 {
		return nil, errors.New("no command")
	}
	inputs := a.Inputs
	if !a.Root.IsZero() {
		inputs = maps.Clone(inputs)
		if inputs == nil {
			inputs = tree.Files{}
		}
		inputs[rootDir] = tree.Entry{Kind: tree.Dir, Digest: a.Root}
	}
	merkle, err := tree.Build(inputs)
	if err != nil {
		return nil, err
	}
	j := &job{Action: a, inputs: inputs, blobs: merkle.Dirs}
	properties := platform(a, defaults)
	command, err := j.add(newCommand(a, properties))
	if err != nil {
		return nil, err
	}
	action := &repb.Action{CommandDigest: command.Proto(), InputRootDigest: merkle.Root.Proto(), Platform: properties}
	if a.Timeout > 0 {
		action.Timeout = durationpb.New(a.Timeout)
	}
	j.digest, err = j.add(action)
	return j, err
}

// list notes what the inputs are made of. It is not needed for a cache hit.
func (j *job) list() {
	seen := map[digest.Digest]bool{digest.Empty: true}
	for _, e := range j.inputs {
		if e.Kind == tree.Symlink || seen[e.Digest] {
			continue
		}
		seen[e.Digest] = true
		if e.Kind == tree.Dir {
			j.grafts = append(j.grafts, e.Digest)
		} else {
			j.files = append(j.files, e.Digest)
		}
	}
}

// add encodes m as one of the job's blobs.
func (j *job) add(m proto.Message) (digest.Digest, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return digest.Digest{}, fmt.Errorf("encode %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	d := digest.Of(b)
	j.blobs[d] = b
	return d, nil
}

// all returns every digest that the farm must hold before the job can run.
func (j *job) all() []digest.Digest {
	ds := slices.Concat(j.files, j.grafts)
	for d := range j.blobs {
		ds = append(ds, d)
	}
	return ds
}

func newCommand(a *kbuild.Action, properties *repb.Platform) *repb.Command {
	c := &repb.Command{
		Arguments:        a.Argv,
		OutputPaths:      slices.Sorted(slices.Values(a.Outputs)),
		WorkingDirectory: a.Dir,
		//lint:ignore SA1019 farms before v2.2 look for it here alone
		Platform:              properties,
		OutputDirectoryFormat: repb.Command_TREE_AND_DIRECTORY,
	}
	for _, name := range slices.Sorted(maps.Keys(a.Env)) {
		c.EnvironmentVariables = append(c.EnvironmentVariables,
			&repb.Command_EnvironmentVariable{Name: name, Value: a.Env[name]})
	}
	return c
}

// platform is what a asks of its worker; its own wishes come before defaults.
func platform(a *kbuild.Action, defaults map[string]string) *repb.Platform {
	wanted := maps.Clone(defaults)
	if wanted == nil {
		wanted = map[string]string{}
	}
	if !a.Root.IsZero() {
		wanted[worker.PropertyRoot] = rootDir
	}
	if a.Memory > 0 {
		wanted[worker.PropertyMemory] = strconv.FormatInt(a.Memory, 10)
	}
	p := &repb.Platform{}
	for name, value := range wanted {
		p.Properties = append(p.Properties, &repb.Platform_Property{Name: name, Value: value})
	}
	slices.SortFunc(p.Properties, func(a, b *repb.Platform_Property) int { return cmp.Compare(a.Name, b.Name) })
	return p
}
