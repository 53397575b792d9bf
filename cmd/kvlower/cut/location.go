package cut

import (
	"bytes"
	"encoding/binary"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// Loc is the content of a core::panic::Location.
type Loc = position.Pos

// locations finds the globals that are panic locations: a constant of 24 bytes
// that holds the address and length of a file name, a line and a column. A
// constant of a program that looks the same becomes a token too; reading it is
// then UNKNOWN, never wrong.
func locations(m *module.Module) map[int]Loc {
	out := map[int]Loc{}
	for i, g := range m.Globals {
		if loc, ok := location(m, &g.Global); ok {
			out[i] = loc
		}
	}
	return out
}

func location(m *module.Module, g *ir.Global) (Loc, bool) {
	if g.Size != ir.LocSize || !g.Const || !g.UnnamedAddr || g.External || len(g.Undef) > 0 ||
		len(g.Relocs) != 1 || g.Relocs[0].Offset != 0 {
		return Loc{}, false
	}
	t := g.Relocs[0].Target
	if t.Kind != ir.GlobalAddr || t.Off != 0 {
		return Loc{}, false
	}
	name := &m.Globals[t.Index].Global
	size := binary.LittleEndian.Uint64(g.Data[8:])
	line, col := binary.LittleEndian.Uint32(g.Data[16:]), binary.LittleEndian.Uint32(g.Data[20:])
	if !name.Const || len(name.Relocs)+len(name.Undef) > 0 || size == 0 || size > uint64(len(name.Data)) || line == 0 || col == 0 {
		return Loc{}, false
	}
	file := name.Data[:size]
	if !bytes.HasSuffix(file, []byte(".rs")) || bytes.IndexByte(file, 0) >= 0 {
		return Loc{}, false
	}
	return Loc{File: string(file), Line: int(line), Col: int(col)}, true
}
