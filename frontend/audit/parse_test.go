package audit

import (
	"slices"
	"strings"
	"testing"
)

// TestParse: what a command line says of bounds is given to an engine again, and
// may come from anyone.
func TestParse(t *testing.T) {
	for _, tt := range []struct{ argv, bounds string }{
		{"./kvengine prove --out v.json s.kvs", ""},
		{"./kvengine prove --budget 7 --loops 3 --out v.json s.kvs", "--budget 7 --loops 3"},
		{"./kvengine prove --held --budget 7 --out v.json s.kvs", "--held --budget 7"},
		{"./kvengine prove --budget 7 --shard 0.3~1/2.5+4,0.6-1 --out v.json s.kvs", "--budget 7 --shard 0.3~1/2.5+4,0.6-1"},
		{"./kvengine prove --shard --certify --out v.json s.kvs", "no proof"},
		{"./kvengine prove --shard 0.3 --out v.json s.kvs", "no proof"},
		{"./kvengine prove --budget many --out v.json s.kvs", "no proof"},
		{"./kvengine prove --certify dir --out v.json s.kvs", "no proof"},
		{"./kvengine prove --out v.json a/s.kvs", "no proof"},
		{"./kvlower prove --out v.json s.kvs", "no proof"},
	} {
		p := &Proof{}
		in, out, err := p.parse(strings.Fields(tt.argv))
		if tt.bounds == "no proof" {
			if err == nil {
				t.Errorf("%s is taken for a proof", tt.argv)
			}
			continue
		}
		if err != nil || in != "s.kvs" || out != "v.json" || !slices.Equal(p.Bounds, strings.Fields(tt.bounds)) {
			t.Errorf("%s: slice %q, output %q, bounds %q, %v", tt.argv, in, out, p.Bounds, err)
		}
	}
}
