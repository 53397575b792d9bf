//go:build llvm

// Types of parameters, as the debug information of a second compile tells them.
// LLVM's own types are too poor for that: a pointer is a pointer.

#include "writer.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/BinaryFormat/Dwarf.h"
#include "llvm/IR/Constants.h"

using namespace llvm;

namespace kv {

// debugType gives a type its number, 0 for none. Types may hold themselves, so
// they are written later, in order of their numbers.
uint64_t Writer::debugType(const DIType *t) {
  uint64_t id;
  if (!t)
    return 0;
  if (debugTypes.find(t, id))
    return id + 1;
  debugTodo.push_back(t);
  return debugTypes.add(t) + 1;
}

// A member's value is that of the tag for which it is there, in hexadecimal. It is
// private if only the module of its type sees it.
//   member = name offset size type private value
void Writer::debugMember(const DIDerivedType *d) {
  Buffer &b = debugTypes.buf;
  SmallString<32> value;
  if (auto *c = dyn_cast_or_null<ConstantInt>(d->getDiscriminantValue()))
    c->getValue().toString(value, 16, /*Signed=*/false);
  b.u(string(d->getName().str()));
  b.u(d->getOffsetInBits());
  b.u(d->getSizeInBits());
  b.u(debugType(d->getBaseType()));
  b.u((d->getFlags() & DINode::FlagAccessibility) == DINode::FlagPrivate);
  b.raw(std::string(value));
}

static std::vector<const DIDerivedType *> members(const DICompositeType *c) {
  std::vector<const DIDerivedType *> out;
  for (const DINode *e : c->getElements())
    if (auto *d = dyn_cast<DIDerivedType>(e); d && d->getTag() == dwarf::DW_TAG_member && !d->isStaticMember())
      out.push_back(d);
  return out;
}

static const DICompositeType *variantPart(const DICompositeType *c) {
  for (const DINode *e : c->getElements())
    if (auto *v = dyn_cast<DICompositeType>(e); v && v->getTag() == dwarf::DW_TAG_variant_part)
      return v;
  return nullptr;
}

// scope is the path of the modules that hold t.
static std::string scope(const DIType *t) {
  std::string path;
  for (const DIScope *s = t->getScope(); s; s = s->getScope())
    if (isa<DINamespace>(s))
      path = s->getName().str() + (path.empty() ? "" : "::" + path);
  return path;
}

static int64_t arrayLength(const DICompositeType *c) {
  for (const DINode *e : c->getElements())
    if (auto *r = dyn_cast<DISubrange>(e))
      if (auto *n = dyn_cast_if_present<ConstantInt *>(r->getCount()))
        return n->getSExtValue();
  return -1;
}

//   debugtype = tag scope name size align base composite?
//   composite = length+1                  of an array
//             | n { value }               of an enumeration
//             | n { member } hasVariants [ hasTag [ member ] n { member } ]
void Writer::debugEntry(const DIType *t) {
  Buffer &b = debugTypes.buf;
  auto *c = dyn_cast<DICompositeType>(t);
  auto *d = dyn_cast<DIDerivedType>(t);
  b.u(t->getTag());
  b.u(string(scope(t)));
  b.u(string(t->getName().str()));
  b.u(t->getSizeInBits());
  b.u(t->getAlignInBits());
  b.u(debugType(c ? c->getBaseType() : d ? d->getBaseType() : nullptr));
  b.u(c != nullptr);
  if (!c)
    return;
  if (c->getTag() == dwarf::DW_TAG_array_type) {
    b.u(uint64_t(arrayLength(c) + 1));
    return;
  }
  if (c->getTag() == dwarf::DW_TAG_enumeration_type) {
    b.u(c->getElements().size());
    for (const DINode *e : c->getElements()) {
      SmallString<32> value;
      if (auto *n = dyn_cast<DIEnumerator>(e))
        n->getValue().toString(value, 16, /*Signed=*/false);
      b.raw(std::string(value));
    }
    return;
  }
  auto all = [&](const DICompositeType *of) {
    auto ms = members(of);
    b.u(ms.size());
    for (const DIDerivedType *m : ms)
      debugMember(m);
  };
  all(c);
  const DICompositeType *v = variantPart(c);
  b.u(v != nullptr);
  if (!v)
    return;
  b.u(v->getDiscriminator() != nullptr);
  if (v->getDiscriminator())
    debugMember(v->getDiscriminator());
  all(v);
}

//   shapes = n { symbol n { type } }
// Of a function that several modules define the first one's types count; what
// the linked module does not define needs none.
void Writer::shapes(const std::vector<std::unique_ptr<Module>> &typed) {
  std::vector<const Function *> fs;
  std::set<std::string> seen;
  for (const std::unique_ptr<Module> &t : typed)
    for (const Function &f : *t) {
      const Function *linked = m.getFunction(f.getName());
      if (!linked || linked->isDeclaration() || !f.getSubprogram() || !f.getSubprogram()->getType())
        continue;
      if (seen.insert(f.getName().str()).second)
        fs.push_back(&f);
    }
  out.u(fs.size());
  for (const Function *f : fs) {
    DITypeRefArray types = f->getSubprogram()->getType()->getTypeArray();
    out.u(string(f->getName().str()));
    out.u(types.size() > 1 ? types.size() - 1 : 0);
    for (unsigned i = 1; i < types.size(); i++)
      out.u(debugType(types[i]));
  }
  for (size_t i = 0; i < debugTodo.size(); i++)
    debugEntry(debugTodo[i]);
}

} // namespace kv
