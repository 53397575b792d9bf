package expr

// Op is the operator of an expression.
type Op uint8

// The operators of the normal form; every other constructor is made of these.
const (
	OpInvalid Op = iota
	OpConst      // a number
	OpVar        // a free variable
	OpRead       // element of a table or array at index Arg(0)
	OpNot        // bitwise complement
	OpAnd
	OpXor
	OpAdd
	OpMul
	OpUDiv // x/0 is all ones
	OpURem // x%0 is x
	OpSDiv // rounds towards zero; x/0 is 1 for negative x, else -1; MIN/-1 is MIN
	OpSRem // sign of the dividend; x%0 is x; MIN%-1 is 0
	OpShl  // a shift by the width or more gives 0
	OpLShr
	OpAShr    // a shift by the width or more gives the sign everywhere
	OpUMulOvf // width 1: the unsigned product does not fit
	OpSMulOvf // width 1: the signed product does not fit
	OpEq      // width 1
	OpUlt     // width 1
	OpSlt     // width 1
	OpITE     // Arg(0) of width 1 chooses between Arg(1) and Arg(2)
	OpConcat  // Arg(0) holds the high bits
	OpExtract // Lo(e) is the lowest bit taken
	OpZExt
	OpSExt
	numOps
)

var opNames = [numOps]string{
	OpInvalid: "invalid", OpConst: "const", OpVar: "var", OpRead: "read",
	OpNot: "bvnot", OpAnd: "bvand", OpXor: "bvxor", OpAdd: "bvadd", OpMul: "bvmul",
	OpUDiv: "bvudiv", OpURem: "bvurem", OpSDiv: "bvsdiv", OpSRem: "bvsrem",
	OpShl: "bvshl", OpLShr: "bvlshr", OpAShr: "bvashr", OpUMulOvf: "bvumulo", OpSMulOvf: "bvsmulo",
	OpEq: "=", OpUlt: "bvult", OpSlt: "bvslt", OpITE: "ite",
	OpConcat: "concat", OpExtract: "extract", OpZExt: "zero_extend", OpSExt: "sign_extend",
}

var opArity = [numOps]int{
	OpRead: 1, OpNot: 1, OpAnd: 2, OpXor: 2, OpAdd: 2, OpMul: 2,
	OpUDiv: 2, OpURem: 2, OpSDiv: 2, OpSRem: 2, OpShl: 2, OpLShr: 2, OpAShr: 2,
	OpUMulOvf: 2, OpSMulOvf: 2, OpEq: 2, OpUlt: 2, OpSlt: 2, OpITE: 3,
	OpConcat: 2, OpExtract: 1, OpZExt: 1, OpSExt: 1,
}

// String returns the operator's name in SMT-LIB.
func (o Op) String() string {
	if o < numOps {
		return opNames[o]
	}
	return opNames[OpInvalid]
}

// Arity returns the number of arguments that an expression with operator o has.
func (o Op) Arity() int {
	if o < numOps {
		return opArity[o]
	}
	return 0
}

func (o Op) commutes() bool {
	switch o {
	case OpAnd, OpXor, OpAdd, OpMul, OpUMulOvf, OpSMulOvf, OpEq:
		return true
	}
	return false
}
