package single

import _ "embed" // of the header

//go:embed kvfarm.h
var header []byte

// clang is the command that compiles C. Clang writes what it would hand to its
// optimiser, which then does not run: lifetimes of variables are marked, as
// they are not at -O0, and nothing that the standard leaves undefined has been
// made use of.
func clang(name string) []string {
	return []string{
		"clang", "--target=x86_64-linux-gnu", "-std=gnu17", "-I../" + ours,
		"-O1", "-Xclang", "-disable-llvm-passes", "-U_FORTIFY_SOURCE",
		"-fno-stack-protector", "-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-fno-ident",
		"-gline-tables-only", "-ffile-prefix-map=" + mount + "/" + sources + "=.",
		"-c", "-emit-llvm", "-o", output, name,
	}
}
