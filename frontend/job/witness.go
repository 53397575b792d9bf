package job

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// WitnessVersion is the version of the witness file's form.
const WitnessVersion = 1

// WitnessFile is a failure that can be run again anywhere: it carries the
// slice, the input, and where in the source it fails.
type WitnessFile struct {
	Version int             `json:"version"`
	Root    position.Root   `json:"root"`
	Crate   string          `json:"crate"`
	Site    verdict.Site    `json:"site"`
	Inputs  []verdict.Input `json:"inputs"`
	Stack   []Frame         `json:"stack"` // innermost first
	Slice   string          `json:"slice"` // its text
}

// Frame is one call of a failing run.
type Frame struct {
	position.Pos
	Place verdict.Place `json:"place"`
}

// WitnessName is the file of witness i of a proof, relative to the report. It
// names all that the file is made of, so that one that is there need not be
// written again: the proof, where its code stands, and what it is a root of.
func WitnessName(p *report.Proof, i int) string {
	key := fmt.Sprintf("%d\n%v\n%v\n%s\n%+v", WitnessVersion, p.Action, p.At, p.Crate, p.Root)
	return fmt.Sprintf("witness/%.16s-%d.json", digest.Of([]byte(key)).Hash, i)
}

// witnessFile describes witness i of p.
func witnessFile(p *report.Proof, i int, slice []byte) *WitnessFile {
	w := &p.Verdict.Witnesses[i]
	f := &WitnessFile{
		Version: WitnessVersion, Root: p.Root, Crate: p.Crate,
		Site: p.Verdict.Sites[w.Site], Inputs: w.Inputs, Slice: string(slice),
	}
	for _, at := range w.Stack {
		f.Stack = append(f.Stack, frames(p.Positions, at)...)
	}
	return f
}

func frames(m *position.Map, at verdict.Place) []Frame {
	var fs []Frame
	for _, pos := range m.At(at.Func, at.Inst) {
		fs = append(fs, Frame{Pos: pos, Place: at})
	}
	if fs == nil {
		fs = []Frame{{Place: at}}
	}
	return fs
}

// ReadWitness reads a witness file.
func ReadWitness(name string) (*WitnessFile, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read witness: %w", err)
	}
	var w WitnessFile
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, fmt.Errorf("read witness %s: %w", name, err)
	}
	if w.Version != WitnessVersion {
		return nil, fmt.Errorf("read witness %s: version %d, want %d", name, w.Version, WitnessVersion)
	}
	return &w, nil
}

// encode writes all but the slice with indentation: that is most of the bytes, in one string.
func (w *WitnessFile) encode() ([]byte, error) {
	const last = "\"\"\n}"
	head := *w
	head.Slice = ""
	b, err := json.MarshalIndent(&head, "", " ")
	if err != nil {
		return nil, err
	}
	slice, err := json.Marshal(w.Slice)
	if err != nil {
		return nil, err
	}
	return append(append(bytes.TrimSuffix(b, []byte(last)), slice...), "\n}"...), nil
}

func writeWitness(dir, name string, w *WitnessFile) error {
	b, err := w.encode()
	if err != nil {
		return fmt.Errorf("write witness: %w", err)
	}
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return fmt.Errorf("write witness: %w", err)
	}
	if err := report.ReplaceFile(file, append(b, '\n')); err != nil {
		return fmt.Errorf("write witness: %w", err)
	}
	return nil
}

// compareProofs puts written checks first: where a check and an automatic root
// refute the same site, the check's witness is the one to show.
func compareProofs(a, b *report.Proof) int {
	return cmp.Or(boolCompare(b.Root.Kind == "check", a.Root.Kind == "check"),
		cmp.Compare(a.Crate, b.Crate), cmp.Compare(a.Root.Name, b.Root.Name), cmp.Compare(a.Slice.Hash, b.Slice.Hash), cmp.Compare(a.Root.Kind, b.Root.Kind),
		cmp.Compare(a.Action.Hash, b.Action.Hash))
}

// WriteWitnesses writes a file for each witness below dir, unless it is there,
// and removes those of an earlier report. Of inner roots it writes those that r names.
func (j *Job) WriteWitnesses(ctx context.Context, dir string, r *pb.Report) error {
	there, err := witnesses(dir)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, s := range r.Sites {
		named[s.Witness] = s.Witness != ""
	}
	for _, p := range slices.Concat(j.proofs, j.failures) {
		told := func(name string) bool { return named[name] }
		if p.Root.Kind != position.Inner || p.Outer || slices.ContainsFunc(p.Witness, told) {
			if err := j.writeWitnesses(ctx, dir, p, there); err != nil {
				return fmt.Errorf("witnesses of %s: %w", p.Root.Name, err)
			}
		}
	}
	for name, old := range there {
		if !old {
			continue
		}
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return fmt.Errorf("remove old witnesses: %w", err)
		}
	}
	return nil
}

// writeWitnesses writes those of p that are not there, and says of all that
// they are not old.
func (j *Job) writeWitnesses(ctx context.Context, dir string, p *report.Proof, there map[string]bool) error {
	var slice []byte
	for i, name := range p.Witness {
		_, known := there[name]
		there[name] = false
		if known {
			continue
		}
		if slice == nil {
			var err error
			if slice, err = j.blob(ctx, p.Slice, maxIndex); err != nil {
				return err
			}
		}
		if err := writeWitness(dir, name, witnessFile(p, i, slice)); err != nil {
			return err
		}
	}
	return nil
}

// witnesses lists the witness files below dir, and nothing else, as old.
func witnesses(dir string) (map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(dir, "witness", strings.Repeat("[0-9a-f]", 16)+"-*.json"))
	if err != nil {
		return nil, fmt.Errorf("list old witnesses: %w", err)
	}
	old := map[string]bool{}
	for _, f := range files {
		old["witness/"+filepath.Base(f)] = true
	}
	return old, nil
}
