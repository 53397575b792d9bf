package contract

import "testing"

func TestOf(t *testing.T) {
	c, ok := Of("rust_do_trace_binder_ioctl")
	if !ok || c.Effect != Quiet || c.Symbol != "rust_do_trace_binder_ioctl" {
		t.Errorf("a tracepoint's contract is %+v, %v", c, ok)
	}
	if c, ok := Of("get_device"); !ok || c.Result != Arg || c.N != 0 {
		t.Errorf("get_device's contract is %+v, %v", c, ok)
	}
	if c, ok := Of("get_random_bytes"); !ok || c.Effect != Gives || c.Buffer != 0 || !c.SizeIn || c.Size != 1 {
		t.Errorf("get_random_bytes' contract is %+v, %v", c, ok)
	}
	if c, ok := Of("mutex_lock"); !ok || c.Effect != Model || c.Looks() {
		t.Errorf("mutex_lock's contract is %+v, %v", c, ok)
	}
	for _, looks := range []string{"bcmp", "get_random_bytes", "_printk", "rust_helper_krealloc_node_align"} {
		if c, ok := Of(looks); !ok || !c.Looks() {
			t.Errorf("%s does not look: %+v, %v", looks, c, ok)
		}
	}
	if c, ok := Of("no_such_function"); ok {
		t.Errorf("no_such_function has the contract %+v", c)
	}
}

// Each line of the table can be read, and no symbol stands twice.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range All() {
		if seen[c.Symbol] {
			t.Errorf("the contract of %s stands twice", c.Symbol)
		}
		seen[c.Symbol] = true
		if k, ok := Of(c.Symbol); !ok || k != c {
			t.Errorf("%s: got %+v, want %+v", c.Symbol, k, c)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, line := range []string{
		"f", "f quiet", "f quiet void", "f loud void why", "f quiet other why", "f fills void why", "f fills 1 void why", "f gives 1 # any why", "f quiet arg why",
	} {
		if c, err := parse(line); err == nil {
			t.Errorf("%q is accepted as %+v", line, c)
		}
	}
}
