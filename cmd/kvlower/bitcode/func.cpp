//go:build llvm

#include "writer.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Operator.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace kv {

// hasBody reports whether what is called by f's name is the body that stands
// here: another module may put its own in the place of a weak one.
static bool hasBody(const Function &f) { return !f.isDeclaration() && !f.isInterposable(); }

void Writer::functions() {
  out.u(m.size());
  for (const Function &f : m)
    header(f);
  for (const Function &f : m)
    if (hasBody(f))
      body(f);
}

// sourceFile is the path of the file that holds n.
template <class Node> static std::string sourceFile(const Node *n) {
  std::string dir = n->getDirectory().str(), file = n->getFilename().str();
  return file.empty() || file[0] == '/' || dir.empty() || dir == "." ? file : dir + "/" + file;
}

//   function = symbol name linkage flags file line n { param } { name } param      the last one is the result
//   flags: 1 defined, 2 noreturn, 4 variadic, 8 intrinsic, 16 nounwind, 32 of the last file
//   file and line: where it is declared, empty and 0 if unknown
void Writer::header(const Function &f) {
  std::string name = f.getName().str();
  std::string path = f.isIntrinsic() ? Intrinsic::getBaseName(f.getIntrinsicID()).str() : demangled(name);
  out.u(string(name));
  out.u(string(path));
  out.u(f.hasExternalLinkage());
  out.u(uint64_t(hasBody(f)) | uint64_t(f.doesNotReturn()) << 1 | uint64_t(f.isVarArg()) << 2 |
        uint64_t(f.isIntrinsic()) << 3 | uint64_t(f.doesNotThrow()) << 4 | uint64_t(f.hasFnAttribute(ownAttribute)) << 5);
  const DISubprogram *s = f.getSubprogram();
  out.u(string(s ? sourceFile(s) : ""));
  out.u(s ? s->getLine() : 0);
  FunctionType *t = f.getFunctionType();
  out.u(t->getNumParams());
  for (unsigned i = 0; i < t->getNumParams(); i++)
    param(t->getParamType(i), f.getAttributes().getParamAttrs(i));
  for (const Argument &a : f.args())
    out.u(string(a.getName().str()));
  param(t->getReturnType(), f.getAttributes().getRetAttrs());
}

void Writer::range(const ConstantRange &r) {
  SmallString<64> lo, hi;
  r.getLower().toString(lo, 16, false);
  r.getUpper().toString(hi, 16, false);
  out.raw(std::string(lo));
  out.raw(std::string(hi));
}

//   param = type bits align deref derefOrNull [sret] [byval] [lo hi]
//   bits: noundef nonnull noalias readonly writeonly zeroext signext sret byval range
void Writer::param(Type *t, AttributeSet a) {
  bool range = a.hasAttribute(Attribute::Range);
  const Attribute::AttrKind kinds[] = {Attribute::NoUndef, Attribute::NonNull, Attribute::NoAlias, Attribute::ReadOnly,
                                       Attribute::WriteOnly, Attribute::ZExt, Attribute::SExt, Attribute::StructRet,
                                       Attribute::ByVal};
  uint64_t bits = 0, bit = 1;
  for (Attribute::AttrKind k : kinds) {
    bits |= a.hasAttribute(k) ? bit : 0;
    bit <<= 1;
  }
  bits |= range ? bit : 0;
  out.u(type(t));
  out.u(bits);
  out.u(a.getAlignment() ? a.getAlignment()->value() : 0);
  out.u(a.getDereferenceableBytes());
  out.u(a.getDereferenceableOrNullBytes());
  if (Type *s = a.getStructRetType())
    out.u(type(s));
  if (Type *b = a.getByValType())
    out.u(type(b));
  if (range)
    this->range(a.getAttribute(Attribute::Range).getRange());
}

static uint64_t metadataInt(const Instruction &in, unsigned kind) {
  MDNode *n = in.getMetadata(kind);
  auto *c = n && n->getNumOperands() ? mdconst::dyn_extract<ConstantInt>(n->getOperand(0)) : nullptr;
  return c ? c->getZExtValue() : 0;
}

// metadata writes what a load promises of its value, in the form of a param.
void Writer::metadata(const LoadInst &l) {
  MDNode *r = l.getMetadata(LLVMContext::MD_range);
  out.u(type(l.getType()));
  out.u(uint64_t(l.hasMetadata(LLVMContext::MD_noundef)) | uint64_t(l.hasMetadata(LLVMContext::MD_nonnull)) << 1 |
        uint64_t(r != nullptr) << 9);
  out.u(metadataInt(l, LLVMContext::MD_align));
  out.u(metadataInt(l, LLVMContext::MD_dereferenceable));
  out.u(metadataInt(l, LLVMContext::MD_dereferenceable_or_null));
  if (r)
    range(getConstantRangeFromMetadata(*r));
}

// isNothing reports whether an instruction only speaks to the optimiser.
static bool isNothing(const Instruction &in) {
  auto *call = dyn_cast<IntrinsicInst>(&in);
  return call && (isa<NoAliasScopeDeclInst>(call) || call->getIntrinsicID() == Intrinsic::donothing);
}

//   body = n { n { instruction } }                 blocks
void Writer::body(const Function &f) {
  fn = &f;
  local.clear();
  std::map<const Value *, uint64_t> blocks;
  for (const Argument &a : f.args())
    local[&a] = local.size();
  uint64_t n = 0;
  for (const BasicBlock &b : f) {
    blocks[&b] = n++;
    for (const Instruction &in : b)
      if (!in.getType()->isVoidTy())
        local.emplace(&in, local.size());
  }
  local.merge(blocks); // blocks are values too, with numbers of their own
  out.u(f.size());
  for (const BasicBlock &b : f) {
    out.u(uint64_t(count_if(b, [](const Instruction &in) { return !isNothing(in); })));
    for (const Instruction &in : b)
      if (!isNothing(in))
        instruction(in);
  }
}

uint64_t Writer::position(const DILocation *l) {
  uint64_t id;
  if (!l)
    return 0;
  if (positions.find(l, id))
    return id + 1;
  uint64_t parent = position(l->getInlinedAt());
  const DISubprogram *s = l->getScope()->getSubprogram();
  positions.buf.u(string(sourceFile(l)));
  positions.buf.u(l->getLine());
  positions.buf.u(l->getColumn());
  positions.buf.u(string(s ? demangled(s->getLinkageName().empty() ? s->getName().str() : s->getLinkageName().str()) : ""));
  positions.buf.u(parent);
  return positions.add(l) + 1;
}

static bool hasFloat(const Type *t) { return t->isFPOrFPVectorTy() || t->isX86_AMXTy() || t->isScalableTy() || t->isTokenTy(); }

// unsupported says why an instruction is not taken; empty if it is.
std::string Writer::unsupported(const Instruction &in) {
  std::string name = in.getOpcodeName();
  if (hasFloat(in.getType()))
    return name + " of floating point";
  for (const Value *v : in.operands()) {
    if (hasFloat(v->getType()))
      return name + " of floating point";
    if (v->getType()->isPointerTy() && v->getType()->getPointerAddressSpace() != 0)
      return name + " in another address space";
    if (isa<MetadataAsValue>(v))
      return name + " of metadata";
  }
  if (auto *c = dyn_cast<CallBase>(&in)) {
    if (c->hasOperandBundles())
      return name + " with operand bundle " + c->getOperandBundleAt(0).getTagName().str();
    if (isa<InvokeInst>(in))
      return name;
    return "";
  }
  switch (in.getOpcode()) {
  case Instruction::Ret: case Instruction::Br: case Instruction::Switch: case Instruction::IndirectBr:
  case Instruction::Unreachable:
  case Instruction::Add: case Instruction::Sub: case Instruction::Mul: case Instruction::UDiv: case Instruction::SDiv:
  case Instruction::URem: case Instruction::SRem: case Instruction::Shl: case Instruction::LShr: case Instruction::AShr:
  case Instruction::And: case Instruction::Or: case Instruction::Xor:
  case Instruction::Trunc: case Instruction::ZExt: case Instruction::SExt: case Instruction::PtrToInt:
  case Instruction::PtrToAddr: case Instruction::IntToPtr: case Instruction::BitCast:
  case Instruction::Alloca: case Instruction::Load: case Instruction::Store: case Instruction::Fence:
  case Instruction::AtomicCmpXchg: case Instruction::AtomicRMW:
  case Instruction::ICmp: case Instruction::Select: case Instruction::PHI: case Instruction::Freeze:
  case Instruction::ExtractValue: case Instruction::InsertValue:
  case Instruction::ExtractElement: case Instruction::InsertElement: case Instruction::ShuffleVector:
    return "";
  case Instruction::GetElementPtr:
    return in.getType()->isVectorTy() ? "getelementptr of vectors" : "";
  default:
    return name;
  }
}

// The bits are those of ir.Flags.
uint64_t Writer::flags(const Instruction &in) {
  enum { InBounds = 1, NUSW = 2, NUW = 4, NSW = 8, Exact = 16, Disjoint = 32, NNeg = 64, SameSign = 128, Volatile = 256, Atomic = 512, Weak = 1024 };
  uint64_t f = 0;
  auto set = [&f](bool on, uint64_t bit) { f |= on ? bit : 0; };
  if (auto *g = dyn_cast<GetElementPtrInst>(&in)) {
    GEPNoWrapFlags w = g->getNoWrapFlags();
    set(w.isInBounds(), InBounds);
    set(!w.isInBounds() && w.hasNoUnsignedSignedWrap(), NUSW);
    set(w.hasNoUnsignedWrap(), NUW);
  }
  if (isa<OverflowingBinaryOperator>(in) || isa<TruncInst>(in)) {
    set(in.hasNoUnsignedWrap(), NUW);
    set(in.hasNoSignedWrap(), NSW);
  }
  if (isa<PossiblyExactOperator>(in))
    set(in.isExact(), Exact);
  if (auto *d = dyn_cast<PossiblyDisjointInst>(&in))
    set(d->isDisjoint(), Disjoint);
  if (isa<PossiblyNonNegInst>(in))
    set(in.hasNonNeg(), NNeg);
  if (auto *c = dyn_cast<ICmpInst>(&in))
    set(c->hasSameSign(), SameSign);
  set(in.isVolatile() && !isa<CallBase>(in), Volatile);
  set((isa<LoadInst>(in) || isa<StoreInst>(in)) && in.isAtomic(), Atomic);
  if (auto *x = dyn_cast<AtomicCmpXchgInst>(&in))
    set(x->isWeak(), Weak);
  return f;
}

void Writer::list(ArrayRef<const Value *> vs) {
  out.u(vs.size());
  for (const Value *v : vs)
    value(v);
}

//   instruction = opcode type flags position ...   what follows depends on the opcode
void Writer::instruction(const Instruction &in) {
  std::string why = unsupported(in);
  out.u(string(why.empty() ? in.getOpcodeName() : "unsupported"));
  out.u(type(in.getType()));
  out.u(why.empty() ? flags(in) : 0);
  out.u(position(in.getDebugLoc().get()));
  if (!why.empty()) {
    out.u(string(why));
    return;
  }
  operands(in);
}

void Writer::operands(const Instruction &in) {
  auto block = [this](const BasicBlock *b) { out.u(local.at(b)); };
  if (auto *c = dyn_cast<CallBase>(&in)) {
    signature(*c);
    if (auto *b = dyn_cast<CallBrInst>(&in)) {
      out.u(b->getNumSuccessors());
      for (unsigned i = 0; i < b->getNumSuccessors(); i++)
        block(b->getSuccessor(i));
    }
  } else if (auto *s = dyn_cast<SwitchInst>(&in)) {
    value(s->getCondition());
    out.u(s->getNumCases());
    for (const auto &c : s->cases()) {
      value(c.getCaseValue());
      block(c.getCaseSuccessor());
    }
    block(s->getDefaultDest());
  } else if (in.isTerminator()) {
    std::vector<const Value *> args;
    for (const Value *v : in.operands())
      if (!isa<BasicBlock>(v))
        args.push_back(v);
    list(args);
    out.u(in.getNumSuccessors());
    for (unsigned i = 0; i < in.getNumSuccessors(); i++)
      block(in.getSuccessor(i));
  } else if (auto *p = dyn_cast<PHINode>(&in)) {
    out.u(p->getNumIncomingValues());
    for (unsigned i = 0; i < p->getNumIncomingValues(); i++) {
      value(p->getIncomingValue(i));
      block(p->getIncomingBlock(i));
    }
  } else if (auto *g = dyn_cast<GetElementPtrInst>(&in)) {
    gep(*g);
  } else {
    memory(in);
  }
}

//   gep = pointer offset n { index scale }
void Writer::gep(const GetElementPtrInst &g) {
  SmallMapVector<Value *, APInt, 4> variable;
  APInt off(64, 0);
  if (!cast<GEPOperator>(g).collectOffset(dl, 64, variable, off))
    off = APInt(64, 0); // cannot happen: vectors are not taken
  value(g.getPointerOperand());
  out.i(off.getSExtValue());
  out.u(variable.size());
  for (const auto &[v, scale] : variable) {
    value(v);
    out.i(scale.getSExtValue());
  }
}

// memory writes the rest: operands, and what the opcode has besides.
void Writer::memory(const Instruction &in) {
  if (auto *a = dyn_cast<AllocaInst>(&in)) {
    uint64_t size = dl.getTypeAllocSize(a->getAllocatedType()).getFixedValue();
    auto *n = dyn_cast<ConstantInt>(a->getArraySize());
    list(n ? ArrayRef<const Value *>() : ArrayRef<const Value *>(a->getArraySize()));
    out.u(n ? size * n->getZExtValue() : size);
    out.u(a->getAlign().value());
    return;
  }
  std::vector<const Value *> args;
  for (const Value *v : in.operands())
    args.push_back(v);
  list(args);
  if (auto *l = dyn_cast<LoadInst>(&in)) {
    out.u(l->getAlign().value());
    out.u(string(l->isAtomic() ? toIRString(l->getOrdering()) : ""));
    metadata(*l);
  } else if (auto *s = dyn_cast<StoreInst>(&in)) {
    out.u(s->getAlign().value());
    out.u(string(s->isAtomic() ? toIRString(s->getOrdering()) : ""));
  } else if (auto *f = dyn_cast<FenceInst>(&in)) {
    out.u(string(toIRString(f->getOrdering())));
  } else if (auto *x = dyn_cast<AtomicCmpXchgInst>(&in)) {
    out.u(x->getAlign().value());
    out.u(string(toIRString(x->getSuccessOrdering())));
    out.u(string(toIRString(x->getFailureOrdering())));
  } else if (auto *r = dyn_cast<AtomicRMWInst>(&in)) {
    out.u(r->getAlign().value());
    out.u(string(toIRString(r->getOrdering())));
    out.u(string(AtomicRMWInst::getOperationName(r->getOperation()).str()));
  } else if (auto *c = dyn_cast<ICmpInst>(&in)) {
    out.u(string(CmpInst::getPredicateName(c->getPredicate()).str()));
  } else if (auto *e = dyn_cast<ExtractValueInst>(&in)) {
    out.u(e->getNumIndices());
    for (unsigned i : e->indices())
      out.u(i);
  } else if (auto *v = dyn_cast<InsertValueInst>(&in)) {
    out.u(v->getNumIndices());
    for (unsigned i : v->indices())
      out.u(i);
  } else if (auto *s = dyn_cast<ShuffleVectorInst>(&in)) {
    out.u(s->getShuffleMask().size());
    for (int lane : s->getShuffleMask())
      out.i(lane);
  }
}

//   call = callee n { argument } flags n { param } param     flags: 1 noreturn, 2 variadic
void Writer::signature(const CallBase &c) {
  value(c.getCalledOperand());
  std::vector<const Value *> args;
  for (const Value *v : c.args())
    args.push_back(v);
  list(args);
  out.u(uint64_t(c.doesNotReturn()) | uint64_t(c.getFunctionType()->isVarArg()) << 1);
  for (unsigned i = 0; i < c.arg_size(); i++)
    param(c.getArgOperand(i)->getType(), c.getAttributes().getParamAttrs(i));
  param(c.getType(), c.getAttributes().getRetAttrs());
}

} // namespace kv
