// Package ir is the language that slices are written in: the part of LLVM IR
// that carries meaning for a proof, with everything else (names' hashes, line
// numbers, debug info, metadata of optimisers) left out.
//
// A Slice is one root and all it can reach. cmd/kvlower makes it from bitcode,
// the engine executes it, and the digest of its canonical text is a proof's key.
// See README.md in this folder for the text form and its grammar.
package ir

import "math/big"

// Version is the version of the text form; it is part of every slice's text.
const Version = 1

// Followed is the number of instructions up to which a function without loops is
// followed where a root is looked at alone, those of all that it leads to included.
const Followed = 120

// Kind says what sort of type a Type is.
type Kind uint8

// The kinds of type. All targets are 64-bit little-endian: a pointer is 8 bytes.
const (
	Void Kind = iota
	Int
	Ptr
	Struct
	Array
	Vector
	Float // half, float, double ...: carried so that its place can be named, never executed
)

// Type is a structural type. Types are compared with Equal, not by pointer.
type Type struct {
	Kind   Kind
	Bits   int     // Int and Float: width in bits
	Elems  []*Type // Struct: fields
	Elem   *Type   // Array, Vector
	Len    int     // Array, Vector
	Packed bool    // Struct
}

// Slice is one root with its closure.
type Slice struct {
	Arch    string // "x86_64", "aarch64"; empty: of both, for want of assembly
	Root    int    // index in Funcs; 0 in everything that is parsed or passes Sanity
	Globals []*Global
	Externs []*Extern
	Funcs   []*Func
	Inputs  *RootSpec // how an automatic root's parameters are made; nil for a written check
}

// Global is a constant or variable with its initial bytes.
type Global struct {
	Size  int64
	Align int64
	Const bool // immutable
	// UnnamedAddr says that the address is not significant: it may equal that of another global.
	UnnamedAddr bool
	Symbol      string // only for objects that C defines (External); otherwise empty
	// External objects have no known content: reading one is UNKNOWN unless a model covers it.
	External bool
	// Loc is 1+k for the k-th panic location token of the slice, 0 for a plain object. A token's
	// bytes are not part of the slice (they hold file, line and column): reading them is UNKNOWN.
	Loc    int
	Data   []byte  // len Size; bytes under a Reloc or an Undef range are zero
	Relocs []Reloc // pointers in Data, by offset
	Undef  []Range // bytes of padding or undef
}

// Reloc is an 8-byte pointer stored at Offset.
type Reloc struct {
	Offset int64
	Target Value // GlobalAddr, FuncAddr or ExternAddr
}

// Range is the half-open byte range [Lo, Hi).
type Range struct{ Lo, Hi int64 }

// Extern is a function without a body in the slice: a C function, an
// intrinsic, a panic entry, or a function that the slice leaves out.
type Extern struct {
	Symbol string // C symbol, "llvm.*" intrinsic name without type suffixes, or demangled panic path; empty if Omitted
	Panic  string // panic kind ("bounds", "add_overflow", "unwrap", ...); empty if this is no panic entry
	// Omitted says that the function has a body, which is not part of the slice: it may do what any
	// code of the program may. Each is a function of its own, whatever its signature.
	Omitted bool
	Sig     Sig
}

// Sig is a function's type with the attributes that carry meaning.
type Sig struct {
	Params   []Param
	Ret      Param
	Variadic bool
	NoReturn bool
}

// Param is a parameter or return value.
type Param struct {
	Type *Type
	Attr Attr
}

// Attr holds the attributes of a parameter, return value or call-site argument.
type Attr struct {
	NoUndef, NonNull, NoAlias, ReadOnly, WriteOnly, ZeroExt, SignExt bool
	Align                                                            int64
	Deref, DerefOrNull                                               int64 // bytes
	SRet, ByVal                                                      *Type
	RangeLo, RangeHi                                                 *big.Int // range [Lo, Hi) modulo 2^width, nil when absent
}

// Func is a function with a body. Registers 0..len(Params)-1 are the parameters.
type Func struct {
	Name   string // demangled path without crate hashes, for people; not in the canonical text
	Sig    Sig
	NumReg int
	Regs   []*Type // type of each register
	Blocks []*Block
}

// Block is a straight run of instructions; the last one is a terminator.
type Block struct{ Insts []*Inst }

// ValueKind says what a Value is.
type ValueKind uint8

// The kinds of operand.
const (
	Reg        ValueKind = iota // Index: register
	ConstInt                    // Big (width from Type); Type may be Ptr: an inttoptr constant
	Null                        // pointer 0
	Poison                      // of Type
	Undef                       // of Type
	Zero                        // zeroinitializer of an aggregate or vector
	GlobalAddr                  // Index: global, Off: byte offset
	FuncAddr                    // Index: function
	ExternAddr                  // Index: extern function
	Aggregate                   // Elems
	AddrInt                     // ptrtoint of Elems[0] (an address), of integer Type
	AsmRef                      // inline assembly
)

// Value is an operand.
type Value struct {
	Kind  ValueKind
	Type  *Type
	Index int
	Off   int64
	Big   *big.Int
	Elems []Value
	Asm   *Asm // AsmRef
}

// Asm is a piece of inline assembly.
type Asm struct {
	Template, Constraints string
	SideEffect            bool
}

// Op is an opcode. The names are LLVM's.
type Op uint8

// Opcodes.
const (
	OpInvalid Op = iota
	// Terminators.
	Ret         // Args: value or none
	Br          // Targets[0]
	CondBr      // Args[0] i1; Targets: then, else
	Switch      // Args[0]; Cases[i] goes to Targets[i]; the last target is the default
	Unreachable //
	CallBr      // like Call, Targets: fallthrough, then the indirect ones
	IndirectBr
	// Integer arithmetic.
	Add
	Sub
	Mul
	UDiv
	SDiv
	URem
	SRem
	Shl
	LShr
	AShr
	And
	Or
	Xor
	// Conversions.
	Trunc
	ZExt
	SExt
	PtrToInt
	IntToPtr
	BitCast
	// Memory.
	Alloca    // Size bytes (static) or Args[0]*Size bytes
	Load      //
	Store     // Args: value, pointer
	GEP       // Args[0] pointer + Off + sum(Args[1+i] * Scales[i]); indices are sign-extended to 64 bits
	Fence     //
	CmpXchg   // Args: pointer, expected, new; result {T, i1}
	AtomicRMW // Args: pointer, value; RMW
	// Other.
	ICmp
	Select
	Phi // Args[i] comes from Targets[i]
	Freeze
	ExtractValue // Path
	InsertValue  // Args: aggregate, element; Path
	ExtractElement
	InsertElement
	ShuffleVector // Path is the mask, -1 is poison
	Call          // Args[0] is the callee, the rest the arguments; intrinsics are calls of an Extern "llvm.x"
	// Unsupported is anything else (floating point, va_arg, invoke ...). Text says what it was.
	Unsupported
)

// Pred is a comparison predicate of ICmp.
type Pred uint8

// Predicates.
const (
	EQ Pred = iota
	NE
	UGT
	UGE
	ULT
	ULE
	SGT
	SGE
	SLT
	SLE
)

// Flags are the instruction flags whose violation gives poison, or that change meaning.
type Flags uint16

// Flags.
const (
	InBounds Flags = 1 << iota
	NUSW
	NUW
	NSW
	Exact
	Disjoint
	NNeg
	SameSign
	Volatile
	Atomic // load, store; Ordering gives how
	Weak   // cmpxchg
)

// Inst is one instruction.
type Inst struct {
	Op       Op
	Type     *Type // result type; for Store the stored type; Void if there is no result
	Result   int   // register, -1 if none
	Args     []Value
	Targets  []int   // block indices
	Cases    []Value // Switch
	Flags    Flags
	Pred     Pred
	Align    int64 // Alloca, Load, Store: bytes
	Size     int64 // Alloca: bytes per element
	Off      int64 // GEP: constant byte offset
	Scales   []int64
	Path     []int
	RMW      string // "xchg", "add", ...
	Ordering string // "monotonic", "acquire", ...; empty when not atomic
	FailOrd  string // CmpXchg: ordering when the comparison fails
	CallSig  *Sig   // Call: signature and attributes at the call site
	Meta     Attr   // Load: !noundef, !nonnull, !range, !align
	Text     string // Unsupported: what it was
	text     []byte // canonical text, if Keep was called
}

// RootSpec says how the parameters of an automatic root are made. It is filled
// from parameter attributes and from types read out of debug information.
type RootSpec struct {
	Params []Shape
}

// ShapeKind is how one input, or one part of memory behind a reference, is made.
type ShapeKind uint8

// Shapes.
const (
	ShapeBits     ShapeKind = iota // any bit pattern of Size bytes
	ShapeRange                     // an integer of Size bytes within Ranges (bool, enum discriminant, NonZero)
	ShapeRef                       // non-null aligned reference to a fresh object of shape Elem (lazily made)
	ShapeRawPtr                    // any address; dereferencing it needs a precondition
	ShapeSlicePtr                  // data pointer of a slice whose length is the next parameter or field
	ShapeSliceLen                  // length of the slice before it
	ShapeStruct                    // Fields at offsets; bytes between them are uninitialised padding
	ShapeEnum                      // Fields[0] is the tag, further Fields are common; one of Variants
	ShapeArray                     // Len elements of shape Elem, one after the other
	ShapeStr                       // like ShapeSlicePtr, bytes are UTF-8
	ShapeOpaque                    // type not understood: dereferencing its content is UNKNOWN
	ShapeIter                      // pointer to the first of a number of Elem, which is an input of its own
	ShapeIterEnd                   // the parameter or field behind a ShapeIter: pointer to their end
)

// Shape describes one input.
type Shape struct {
	Kind     ShapeKind
	Name     string // of the parameter or field, for people; not in the canonical text
	Size     int64
	Align    int64
	Off      int64  // within the struct that holds it
	Elem     *Shape // behind a pointer; element of a slice or array
	Mut      bool   // behind &mut or *mut
	Signed   bool   // an integer of the source that has a sign, for people; not in the canonical text
	Private  bool   // a field that only the module of its type sees, for people; not in the canonical text
	Null     bool   // ShapeRawPtr may be null; ShapeRef is an Option<&T>
	Whole    bool   // ShapeRawPtr that is not null leads to all of an Elem: it belongs to an Arc or the like
	Unset    bool   // ShapeBits, ShapeOpaque: bytes of it may be uninitialised (MaybeUninit)
	Ranges   []Span // ShapeRange
	Len      int64  // ShapeArray: number of elements
	Fields   []Shape
	Variants []Variant
}

// MaxWhole is the largest object that a shape can promise to be whole, in bytes:
// the object behind a raw pointer has no more than that.
const MaxWhole = 1 << 20

// Span is the inclusive range [Lo, Hi] of unsigned integers.
type Span struct{ Lo, Hi *big.Int }

// Variant is one alternative of a ShapeEnum.
type Variant struct {
	Name string // for people; not in the canonical text
	// Tags are the values of the tag that say this variant. A variant without tags is told by its
	// Fields alone: one of them covers the tag and never holds another variant's value (a niche).
	Tags   []Span
	Fields []Shape
}
