package ir

// opNames are the mnemonics of the text form.
var opNames = [...]string{
	Ret: "ret", Br: "br", CondBr: "br", Switch: "switch", Unreachable: "unreachable",
	CallBr: "callbr", IndirectBr: "indirectbr",
	Add: "add", Sub: "sub", Mul: "mul", UDiv: "udiv", SDiv: "sdiv", URem: "urem", SRem: "srem",
	Shl: "shl", LShr: "lshr", AShr: "ashr", And: "and", Or: "or", Xor: "xor",
	Trunc: "trunc", ZExt: "zext", SExt: "sext",
	PtrToInt: "ptrtoint", IntToPtr: "inttoptr", BitCast: "bitcast",
	Alloca: "alloca", Load: "load", Store: "store", GEP: "gep", Fence: "fence",
	CmpXchg: "cmpxchg", AtomicRMW: "atomicrmw",
	ICmp: "icmp", Select: "select", Phi: "phi", Freeze: "freeze",
	ExtractValue: "extractvalue", InsertValue: "insertvalue",
	ExtractElement: "extractelement", InsertElement: "insertelement", ShuffleVector: "shufflevector",
	Call: "call", Unsupported: "unsupported",
}

// String is the mnemonic of op.
func (op Op) String() string {
	if int(op) < len(opNames) && opNames[op] != "" {
		return opNames[op]
	}
	return "invalid"
}

// IsTerminator reports whether op ends a block. An Unsupported instruction may
// stand for a terminator too; it then has no targets.
func (op Op) IsTerminator() bool { return op >= Ret && op <= IndirectBr }

// IsBinary reports whether op takes two operands of its result type.
func (op Op) IsBinary() bool { return op >= Add && op <= Xor }

// IsCast reports whether op converts one operand to its result type.
func (op Op) IsCast() bool { return op >= Trunc && op <= BitCast }

var predNames = [...]string{
	EQ: "eq", NE: "ne", UGT: "ugt", UGE: "uge", ULT: "ult", ULE: "ule",
	SGT: "sgt", SGE: "sge", SLT: "slt", SLE: "sle",
}

// String is the predicate as the text form writes it.
func (p Pred) String() string {
	if int(p) < len(predNames) {
		return predNames[p]
	}
	return "invalid"
}

// flagNames lists the flags in the order in which the text form writes them.
var flagNames = [...]string{
	"inbounds", "nusw", "nuw", "nsw", "exact", "disjoint", "nneg", "samesign", "volatile", "atomic", "weak",
}

// Names lists the flags that are set, as the text form writes them.
func (f Flags) Names() []string {
	var out []string
	for i, name := range flagNames {
		if f&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// flagsOf says which flags each opcode may carry.
var flagsOf = map[Op]Flags{
	Add: NUW | NSW, Sub: NUW | NSW, Mul: NUW | NSW, Shl: NUW | NSW, Trunc: NUW | NSW,
	UDiv: Exact, SDiv: Exact, LShr: Exact, AShr: Exact,
	Or: Disjoint, ZExt: NNeg, ICmp: SameSign, GEP: InBounds | NUSW | NUW,
	Load: Volatile | Atomic, Store: Volatile | Atomic,
	CmpXchg: Volatile | Weak, AtomicRMW: Volatile,
}

var orderings = map[string]bool{
	"unordered": true, "monotonic": true, "acquire": true, "release": true, "acq_rel": true, "seq_cst": true,
}

var rmwOps = map[string]bool{
	"xchg": true, "add": true, "sub": true, "and": true, "nand": true, "or": true, "xor": true,
	"max": true, "min": true, "umax": true, "umin": true, "uinc_wrap": true, "udec_wrap": true,
	"usub_cond": true, "usub_sat": true,
}

var shapeNames = [...]string{
	ShapeBits: "bits", ShapeRange: "range", ShapeRef: "ref", ShapeRawPtr: "rawptr",
	ShapeSlicePtr: "sliceptr", ShapeSliceLen: "slicelen", ShapeStruct: "struct", ShapeEnum: "enum",
	ShapeArray: "array", ShapeStr: "str", ShapeOpaque: "opaque",
	ShapeIter: "iter", ShapeIterEnd: "iterend",
}

// String is the shape's keyword in the text form.
func (k ShapeKind) String() string {
	if int(k) < len(shapeNames) {
		return shapeNames[k]
	}
	return "invalid"
}

func index(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}
