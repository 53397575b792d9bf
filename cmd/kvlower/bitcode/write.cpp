//go:build llvm

#include "writer.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Analysis/ConstantFolding.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Demangle/Demangle.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/GlobalAlias.h"
#include "llvm/IR/InlineAsm.h"

using namespace llvm;

namespace kv {

uint64_t Writer::string(const std::string &s) {
  uint64_t id;
  if (strings.find(s, id))
    return id;
  strings.buf.raw(s);
  return strings.add(s);
}

static uint64_t typeKind(const Type *t) {
  switch (t->getTypeID()) {
  case Type::IntegerTyID:
    return 1;
  case Type::PointerTyID:
    return 2;
  case Type::StructTyID:
    return 3;
  case Type::ArrayTyID:
    return 4;
  case Type::FixedVectorTyID:
    return 5;
  default:
    return t->isFloatingPointTy() ? 6 : 0; // void, label, token, metadata
  }
}

// The kinds are those of ir.Kind; parts come before the types they are part of.
uint64_t Writer::type(Type *t) {
  uint64_t id;
  if (types.find(t, id))
    return id;
  std::vector<uint64_t> parts;
  for (Type *sub : t->subtypes())
    parts.push_back(type(sub));
  uint64_t bits = t->isIntegerTy() || t->isFloatingPointTy() ? t->getPrimitiveSizeInBits().getFixedValue() : 0;
  uint64_t len = 0;
  if (auto *a = dyn_cast<ArrayType>(t))
    len = a->getNumElements();
  if (auto *v = dyn_cast<FixedVectorType>(t))
    len = v->getNumElements();
  auto *s = dyn_cast<StructType>(t);
  types.buf.u(typeKind(t));
  types.buf.u(bits);
  types.buf.u(len);
  types.buf.u(s && s->isPacked());
  types.buf.u(parts.size());
  for (uint64_t p : parts)
    types.buf.u(p);
  return types.add(t);
}

// A suffix such as .123, which linking gives to the second of two internal
// functions of one name, is no part of the path.
std::string demangled(const std::string &name) {
  char *path = rustDemangle(name.substr(0, name.find('.')));
  if (!path)
    return name;
  std::string s = path;
  free(path);
  return s;
}

// number gives every global and function its index.
void Writer::number() {
  uint64_t n = 0;
  for (const GlobalVariable &g : m.globals())
    ids[&g] = n++;
  n = 0;
  for (const Function &f : m)
    ids[&f] = n++;
}

// resolve finds the global or function that c is an address into.
bool Writer::resolve(const Constant *c, const Constant *&base, int64_t &off) {
  for (int depth = 0; depth < 32; depth++) {
    APInt o(dl.getIndexTypeSizeInBits(c->getType()), 0);
    auto *v = c->stripAndAccumulateConstantOffsets(dl, o, /*AllowNonInbounds=*/true);
    off += o.getSExtValue();
    if (auto *a = dyn_cast<GlobalAlias>(v)) {
      c = a->getAliasee();
      continue;
    }
    // The address of an extern_weak object may be 0.
    base = dyn_cast<Constant>(v);
    return base && (isa<GlobalVariable>(base) || isa<Function>(base)) && !cast<GlobalValue>(base)->hasExternalWeakLinkage();
  }
  return false;
}

void Writer::address(const Constant *base, int64_t off) {
  out.u(isa<Function>(base) ? tagFunction : tagGlobal);
  out.u(ids.at(base));
  out.i(off);
}

void Writer::value(const Value *v) {
  out.u(type(v->getType()));
  if (auto *c = dyn_cast<Constant>(v)) {
    constant(c);
  } else if (auto *a = dyn_cast<InlineAsm>(v)) {
    out.u(tagAsm);
    asmString(a);
  } else if (auto it = local.find(v); it != local.end()) {
    out.u(tagRegister);
    out.u(it->second);
  } else {
    out.u(tagUnsupported);
    out.u(string("operand that is no value"));
  }
}

void Writer::asmString(const InlineAsm *a) {
  out.u(string(a->getAsmString().str()));
  out.u(string(a->getConstraintString().str()));
  out.u(a->hasSideEffects());
}

// hex writes n as hexadecimal digits.
static std::string hex(const APInt &n) {
  SmallString<64> s;
  n.toString(s, 16, /*Signed=*/false);
  return std::string(s);
}

void Writer::constant(const Constant *c) {
  const Constant *base;
  int64_t off = 0;
  if (auto *e = dyn_cast<ConstantExpr>(c)) {
    if (Constant *folded = ConstantFoldConstant(e, dl))
      c = folded;
  }
  if (isa<PoisonValue>(c)) {
    out.u(tagPoison);
  } else if (isa<UndefValue>(c)) {
    out.u(tagUndef);
  } else if (auto *n = dyn_cast<ConstantInt>(c); n && n->getType()->isIntegerTy()) {
    out.u(tagInt);
    out.raw(hex(n->getValue()));
  } else if (isa<ConstantPointerNull>(c)) {
    out.u(tagNull);
  } else if (isa<ConstantAggregateZero>(c)) {
    out.u(tagZero);
  } else if (auto *e = dyn_cast<ConstantExpr>(c); e && e->getOpcode() == Instruction::IntToPtr && isa<ConstantInt>(e->getOperand(0))) {
    out.u(tagInt);
    out.raw(hex(cast<ConstantInt>(e->getOperand(0))->getValue().zextOrTrunc(64)));
  } else if (e && (e->getOpcode() == Instruction::PtrToInt || e->getOpcode() == Instruction::PtrToAddr) &&
             resolve(e->getOperand(0), base, off)) {
    out.u(tagAddrInt);
    address(base, off);
  } else if (c->getType()->isPointerTy() && resolve(c, base, off)) {
    address(base, off);
  } else if (c->getType()->isAggregateType() || c->getType()->isVectorTy()) {
    aggregate(c);
  } else {
    out.u(tagUnsupported);
    out.u(string("constant " + std::string(e ? e->getOpcodeName() : "of another kind")));
  }
}

void Writer::aggregate(const Constant *c) {
  unsigned n = 0;
  while (c->getAggregateElement(n))
    n++;
  out.u(tagAggregate);
  out.u(n);
  for (unsigned i = 0; i < n; i++)
    value(c->getAggregateElement(i));
}

namespace {

// Image is the content of a global: bytes, addresses in them, and what is undefined.
struct Image {
  struct Address {
    uint64_t at;
    const Constant *base;
    int64_t off;
  };
  std::string bytes;
  std::vector<bool> defined;
  std::vector<Address> addresses;
  std::string unsupported;
};

} // namespace

static void putInt(Image &im, uint64_t at, const APInt &n, uint64_t size) {
  APInt wide = n.zextOrTrunc(unsigned(size * 8));
  for (uint64_t i = 0; i < size; i++) {
    im.bytes[at + i] = char(wide.extractBitsAsZExtValue(8, unsigned(i * 8)));
    im.defined[at + i] = true;
  }
}

static void putZeros(Image &im, uint64_t at, uint64_t size) {
  for (uint64_t i = 0; i < size; i++)
    im.defined[at + i] = true;
}

template <class Resolve> static void put(Image &im, const Constant *c, uint64_t at, const DataLayout &dl, Resolve resolve) {
  uint64_t size = dl.getTypeStoreSize(c->getType()).getFixedValue();
  if (isa<UndefValue>(c)) // and poison
    return;
  if (auto *n = dyn_cast<ConstantInt>(c); n && n->getType()->isIntegerTy())
    return putInt(im, at, n->getValue(), size);
  if (auto *f = dyn_cast<ConstantFP>(c); f && f->getType()->isFloatingPointTy())
    return putInt(im, at, f->getValueAPF().bitcastToAPInt(), size);
  if (isa<ConstantAggregateZero>(c) || isa<ConstantPointerNull>(c))
    return putZeros(im, at, size);
  if (auto *s = dyn_cast<StructType>(c->getType())) {
    const StructLayout *l = dl.getStructLayout(s);
    for (unsigned i = 0; i < s->getNumElements(); i++)
      put(im, c->getAggregateElement(i), at + l->getElementOffset(i).getFixedValue(), dl, resolve);
    return;
  }
  if (auto *d = dyn_cast<ConstantDataSequential>(c); d && d->getElementType()->isIntegerTy()) {
    im.bytes.replace(at, d->getRawDataValues().size(), d->getRawDataValues().str());
    return putZeros(im, at, d->getRawDataValues().size());
  }
  if (auto *a = dyn_cast<ArrayType>(c->getType())) {
    uint64_t step = dl.getTypeAllocSize(a->getElementType()).getFixedValue();
    for (uint64_t i = 0; i < a->getNumElements(); i++)
      put(im, c->getAggregateElement(unsigned(i)), at + i * step, dl, resolve);
    return;
  }
  auto *e = dyn_cast<ConstantExpr>(c);
  if (e && e->getOpcode() == Instruction::IntToPtr && isa<ConstantInt>(e->getOperand(0)))
    return putInt(im, at, cast<ConstantInt>(e->getOperand(0))->getValue(), size);
  if (e && (e->getOpcode() == Instruction::PtrToInt || e->getOpcode() == Instruction::PtrToAddr))
    c = e->getOperand(0);
  Image::Address a{at, nullptr, 0};
  if (size == 8 && c->getType()->isPointerTy() && resolve(c, a.base, a.off)) {
    im.addresses.push_back(a);
    return putZeros(im, at, size);
  }
  im.unsupported = e ? e->getOpcodeName() : "constant of another kind";
}

// A global larger than this is written without its content.
constexpr uint64_t maxContent = 16 << 20;

//   global = name size align flags content?   flags: 1 constant, 2 unnamed_addr, 4 no content
//   content = bytes n { lo hi } undefined, n { at address }
void Writer::global(const GlobalVariable &g) {
  uint64_t size = g.getValueType()->isSized() ? dl.getTypeAllocSize(g.getValueType()).getFixedValue() : 0;
  Image im;
  bool known = g.hasDefinitiveInitializer() && size <= maxContent && !g.isThreadLocal();
  if (known) {
    im.bytes.resize(size);
    im.defined.resize(size);
    put(im, g.getInitializer(), 0, dl, [this](const Constant *c, const Constant *&b, int64_t &o) { return resolve(c, b, o); });
    known = im.unsupported.empty();
  }
  out.u(string(g.getName().str()));
  out.u(size);
  out.u(g.getAlign() ? g.getAlign()->value() : dl.getABITypeAlign(g.getValueType()).value());
  out.u(uint64_t(g.isConstant()) | uint64_t(g.hasAtLeastLocalUnnamedAddr()) << 1 | uint64_t(!known) << 2);
  if (!known)
    return;
  out.raw(im.bytes);
  std::vector<std::pair<uint64_t, uint64_t>> undefined;
  for (uint64_t i = 0; i < size; i++) {
    if (im.defined[i])
      continue;
    uint64_t lo = i;
    while (i < size && !im.defined[i])
      i++;
    undefined.push_back({lo, i});
  }
  out.u(undefined.size());
  for (auto [lo, hi] : undefined) {
    out.u(lo);
    out.u(hi);
  }
  out.u(im.addresses.size());
  for (const Image::Address &a : im.addresses) {
    out.u(a.at);
    address(a.base, a.off);
  }
}

void Writer::globals() {
  out.u(m.global_size());
  for (const GlobalVariable &g : m.globals())
    global(g);
}

std::string Writer::write(const std::set<std::string> &roots, const std::vector<std::unique_ptr<Module>> &typed) {
  number();
  globals();
  functions();
  out.u(roots.size());
  for (const std::string &r : roots)
    out.u(string(r));
  shapes(typed);
  Buffer head;
  head.bytes = "KVBC";
  head.u(streamVersion);
  head.raw(m.getTargetTriple().str());
  head.u(strings.count);
  head.bytes += strings.buf.bytes;
  head.u(types.count);
  head.bytes += types.buf.bytes;
  head.u(positions.count);
  head.bytes += positions.buf.bytes;
  head.u(debugTypes.count);
  head.bytes += debugTypes.buf.bytes;
  return head.bytes + out.bytes;
}

} // namespace kv
