// Writer turns a linked module into the stream.
#pragma once

#include "stream.h"

#include "llvm/IR/DataLayout.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"
#include <memory>
#include <set>
#include <vector>

namespace kv {

class Writer {
public:
  explicit Writer(llvm::Module &m) : m(m), dl(m.getDataLayout()) {}
  // write returns the stream. roots are the functions that the last file
  // defines and other modules may call.
  std::string write(const std::set<std::string> &roots, const std::vector<std::unique_ptr<llvm::Module>> &typed);

private:
  // write.cpp: tables and constants
  uint64_t string(const std::string &s);
  uint64_t type(llvm::Type *t);
  void number();
  void globals();
  void global(const llvm::GlobalVariable &g);
  void value(const llvm::Value *v);
  void constant(const llvm::Constant *c);
  void address(const llvm::Constant *base, int64_t off);
  void aggregate(const llvm::Constant *c);
  void asmString(const llvm::InlineAsm *a);
  bool resolve(const llvm::Constant *c, const llvm::Constant *&base, int64_t &off);
  llvm::APInt integer(const llvm::Constant *c);

  // func.cpp: functions and instructions
  void functions();
  void header(const llvm::Function &f);
  void body(const llvm::Function &f);
  void param(llvm::Type *t, llvm::AttributeSet a);
  void metadata(const llvm::LoadInst &l);
  void range(const llvm::ConstantRange &r);
  void signature(const llvm::CallBase &c);
  void instruction(const llvm::Instruction &in);
  std::string unsupported(const llvm::Instruction &in);
  uint64_t flags(const llvm::Instruction &in);
  void operands(const llvm::Instruction &in);
  void memory(const llvm::Instruction &in);
  void gep(const llvm::GetElementPtrInst &g);
  void list(llvm::ArrayRef<const llvm::Value *> vs);
  uint64_t position(const llvm::DILocation *l);

  // shape.cpp: types of parameters from debug information
  void shapes(const std::vector<std::unique_ptr<llvm::Module>> &typed);
  uint64_t debugType(const llvm::DIType *t);
  void debugEntry(const llvm::DIType *t);
  void debugMember(const llvm::DIDerivedType *d);

  llvm::Module &m;
  const llvm::DataLayout &dl;
  Buffer out; // globals, functions, roots, shapes
  Table<std::string> strings;
  Table<const llvm::Type *> types;
  Table<const llvm::DILocation *> positions;
  Table<const llvm::DIType *> debugTypes;
  std::vector<const llvm::DIType *> debugTodo;
  std::map<const llvm::Value *, uint64_t> ids; // globals, functions
  std::map<const llvm::Value *, uint64_t> local; // of the current function
  const llvm::Function *fn = nullptr;
};

// ownAttribute marks the functions that the last file defines.
inline constexpr char ownAttribute[] = "kvlower-own";

// Operand tags.
enum : uint64_t {
  tagRegister,
  tagInt,
  tagNull,
  tagPoison,
  tagUndef,
  tagZero,
  tagGlobal,
  tagFunction,
  tagAggregate,
  tagAddrInt,
  tagAsm,
  tagUnsupported,
};

std::string demangled(const std::string &name);

} // namespace kv
