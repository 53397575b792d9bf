package interp_test

import (
	"math/big"
	"testing"

	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// sevens gives 7 to whoever asks.
type sevens struct{}

func (sevens) Dynamic(string, int, int) (*big.Int, error) { return big.NewInt(7), nil }

func (sevens) Root(string, int, []ir.Span) *big.Int { return nil }

// What an instruction does to many bytes counts as many steps: else a run of a
// bounded number of instructions, such as a replay, could take an hour.
func TestStepsCountBytes(t *testing.T) {
	for name, call := range map[string]string{
		"lifetime": "call void @start(ptr %a)",
		"memset":   "call void @set(ptr %a, i8 0, i64 65536, i1 false)",
	} {
		s, err := ir.Parse([]byte(`kvslice 1
arch x86_64

extern @any8 "kvfarm_any_u8" () -> i8
extern @start "llvm.lifetime.start" (ptr)
extern @set "llvm.memset" (ptr, i8, i64, i1)

func @check () {
entry:
  %a = alloca 65536, align 1
  br label %head
head:
  %x = call i8 @any8()
  ` + call + `
  br label %head
}
`))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		o, err := interp.Run(s, sevens{}, interp.Limits{Steps: 1_000_000})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if o.Kind != interp.OutOfSteps || len(o.Inputs) == 0 || len(o.Inputs) > 300 {
			t.Errorf("%s: %v after %d rounds, want an end for want of steps within 300", name, o, len(o.Inputs))
		}
	}
}
