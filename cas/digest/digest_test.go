package digest_test

import (
	"strconv"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas/digest"
)

const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

func TestOf(t *testing.T) {
	want := digest.Digest{Hash: abc, Size: 3}
	if got := digest.Of([]byte("abc")); got != want {
		t.Errorf("Of(abc) = %v, want %v", got, want)
	}
	if got, err := digest.OfReader(strings.NewReader("abc")); got != want || err != nil {
		t.Errorf("OfReader(abc) = %v, %v, want %v", got, err, want)
	}
	if digest.Empty.Size != 0 || digest.Empty.Validate() != nil || digest.Empty.IsZero() {
		t.Errorf("Empty is %v", digest.Empty)
	}
}

// The vectors are BLAKE3's own, of no bytes and of "abc".
func TestBLAKE3(t *testing.T) {
	for in, want := range map[string]string{
		"":    "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
		"abc": "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
	} {
		d := digest.BLAKE3.Of([]byte(in))
		if d.Hash != want || d.Size != int64(len(in)) || d.IsEmpty() != (in == "") {
			t.Errorf("Of(%q) = %v, want %s", in, d, want)
		}
		if got, err := digest.BLAKE3.OfReader(strings.NewReader(in)); got != d || err != nil {
			t.Errorf("OfReader(%q) = %v, %v", in, got, err)
		}
		if got, err := digest.Parse("blake3/" + want + "/" + strconv.Itoa(len(in))); got != d || err != nil {
			t.Errorf("Parse = %v, %v, want %v", got, err, d)
		}
	}
	if digest.BLAKE3.Empty() == digest.Empty {
		t.Error("two functions have one empty blob")
	}
	plain := digest.Digest{Hash: digest.BLAKE3.Empty().Hash}
	if plain.IsEmpty() {
		t.Errorf("%v is empty by another function", plain)
	}
}

func TestFunctionFromProto(t *testing.T) {
	for v, name := range repb.DigestFunction_Value_name {
		f, err := digest.FunctionFromProto(repb.DigestFunction_Value(v))
		switch name {
		case "UNKNOWN", "SHA256":
			if f != digest.SHA256 || err != nil {
				t.Errorf("%s is %v, %v", name, f, err)
			}
		case "BLAKE3":
			if f != digest.BLAKE3 || err != nil {
				t.Errorf("%s is %v, %v", name, f, err)
			}
		default:
			if err == nil {
				t.Errorf("%s is %v", name, f)
			}
		}
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		in string
		ok bool
	}{
		{abc + "/3", true},
		{abc + "/0", true},
		{abc + "/9223372036854775807", true},
		{abc + "/9223372036854775808", false},
		{abc + "/-1", false},
		{abc + "/", false},
		{abc + "/3/4", false},
		{abc + "/x", false},
		{abc + "/+3", false},
		{abc + "/03", false},
		{abc, false},
		{"/3", false},
		{"", false},
		{abc[1:] + "/3", false},
		{"0" + abc + "/3", false},
		{strings.ToUpper(abc) + "/3", false},
		{strings.Repeat("x", 64) + "/3", false},
		{strings.Repeat("é", 32) + "/3", false},
		{"blake3/" + abc + "/3", true},
		{"blake3/" + abc + "/03", false},
		{"blake3/blake3/" + abc + "/3", false},
		{"md5/" + abc + "/3", false},
		{"BLAKE3/" + abc + "/3", false},
	}
	for _, test := range tests {
		d, err := digest.Parse(test.in)
		if (err == nil) != test.ok {
			t.Errorf("Parse(%q) = %v, %v", test.in, d, err)
		}
		if test.ok && d.String() != test.in {
			t.Errorf("Parse(%q) prints as %q", test.in, d)
		}
	}
}

func TestProto(t *testing.T) {
	d := digest.Of([]byte("abc"))
	if got, err := digest.FromProto(d.Proto()); got != d || err != nil {
		t.Errorf("FromProto(Proto(%v)) = %v, %v", d, got, err)
	}
	for _, p := range []*repb.Digest{nil, {}, {Hash: abc, SizeBytes: -1}, {Hash: abc[1:], SizeBytes: 1}} {
		if got, err := digest.FromProto(p); err == nil {
			t.Errorf("FromProto(%v) = %v", p, got)
		}
	}
}

// FuzzRaw holds Raw, Validate and Parse to one another.
func FuzzRaw(f *testing.F) {
	f.Add(abc, int64(3), false)
	f.Add(abc, int64(3), true)
	f.Add(strings.ToUpper(abc), int64(3), false)
	f.Add("", int64(-1), true)
	f.Fuzz(func(t *testing.T, hash string, size int64, other bool) {
		d := digest.Digest{Hash: hash, Size: size}
		if other {
			d.Function = digest.BLAKE3
		}
		raw, err := d.Raw()
		if (err == nil) != (d.Validate() == nil) {
			t.Fatalf("Raw of %q says %v, Validate %v", d, err, d.Validate())
		}
		if err != nil {
			return
		}
		if got := d.Function.FromRaw(raw, size); got != d {
			t.Errorf("FromRaw(Raw(%v)) = %v", d, got)
		}
		if got, err := digest.Parse(d.String()); err != nil || got != d {
			t.Errorf("Parse(%q) = %v, %v", d, got, err)
		}
	})
}
