//go:build llvm

#include "shim.h"
#include "writer.h"

#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/GlobalAlias.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <cstring>
#include <thread>

using namespace llvm;

namespace {

// Result is a module or an error.
struct Result {
  std::unique_ptr<Module> module;
  std::string error;
};

// reading is the file at hand, for onFatal.
thread_local std::string reading;

struct Diagnostics {
  std::string errors;
};

void onDiagnostic(const DiagnosticInfo *d, void *context) {
  if (d->getSeverity() != DS_Error)
    return;
  raw_string_ostream os(static_cast<Diagnostics *>(context)->errors);
  DiagnosticPrinterRawOStream printer(os);
  d->print(printer);
  os << "; ";
}

// LLVM calls this where it would abort. The reader runs in a process of its
// own, which may end here.
void onFatal(void *, const char *reason, bool) {
  fprintf(stderr, "kvlower: read %s: LLVM gave up: %s\n", reading.c_str(), reason);
  _Exit(2);
}

Result load(const std::string &file, LLVMContext &context) {
  reading = file;
  auto buffer = MemoryBuffer::getFile(file);
  if (!buffer)
    return {nullptr, "read " + file + ": " + buffer.getError().message()};
  auto module = parseBitcodeFile((*buffer)->getMemBufferRef(), context);
  if (!module)
    return {nullptr, "read " + file + ": " + toString(module.takeError())};
  std::string broken;
  raw_string_ostream os(broken);
  bool brokenDebug = false;
  if (verifyModule(**module, &os, &brokenDebug))
    return {nullptr, "read " + file + ": broken module: " + broken};
  return {std::move(*module), ""};
}

// definitions are the functions that m defines and other modules may call, by
// their own name or by another one.
std::set<std::string> definitions(const Module &m) {
  std::set<std::string> names;
  for (const Function &f : m)
    if (!f.isDeclaration() && !f.hasLocalLinkage() && !f.hasAvailableExternallyLinkage())
      names.insert(f.getName().str());
  for (const GlobalAlias &a : m.aliases())
    if (auto *f = dyn_cast_or_null<Function>(a.getAliaseeObject()); f && !a.hasLocalLinkage())
      names.insert(f->getName().str());
  return names;
}

// markOwn marks what m defines, so that it is known after linking.
void markOwn(Module &m) {
  for (Function &f : m)
    if (!f.isDeclaration())
      f.addFnAttr(kv::ownAttribute);
}

// Typed are the modules whose debug information is read. They have a context of their own, so that
// a thread of its own can load them: a context is one thread's.
struct Typed {
  Diagnostics diagnostics; // what goes wrong otherwise is in error
  LLVMContext context;
  std::vector<std::unique_ptr<Module>> modules;
  std::string error;

  void loadAll(const char **files, int n) {
    context.setDiagnosticHandlerCallBack(onDiagnostic, &diagnostics);
    for (int i = 0; i < n && error.empty(); i++) {
      Result r = load(files[i], context);
      error = r.error;
      modules.push_back(std::move(r.module));
    }
  }
};

// link links files into one module, and names the functions that the last one defines.
Result link(const char **files, int n, LLVMContext &context, std::set<std::string> &roots) {
  Diagnostics diagnostics;
  context.setDiagnosticHandlerCallBack(onDiagnostic, &diagnostics);
  std::unique_ptr<Module> linked;
  for (int i = 0; i < n; i++) {
    Result r = load(files[i], context);
    if (!r.module)
      return r;
    if (i == n - 1) {
      roots = definitions(*r.module);
      markOwn(*r.module);
    }
    if (!linked)
      linked = std::move(r.module);
    else if (Linker::linkModules(*linked, std::move(r.module)))
      return {nullptr, std::string("link ") + files[i] + ": " + diagnostics.errors};
  }
  return {std::move(linked), ""};
}

kv_stream failed(const std::string &why) { return {nullptr, 0, strdup(why.c_str())}; }

} // namespace

extern "C" kv_stream kv_read(const char **files, int n, const char **types, int m) {
  install_fatal_error_handler(onFatal);
  Typed typed;
  std::thread loading(&Typed::loadAll, &typed, types, m);
  LLVMContext context;
  std::set<std::string> roots;
  Result linked = link(files, n, context, roots);
  loading.join();
  for (const std::string &error : {linked.error, typed.error})
    if (!error.empty())
      return failed(error);
  std::string stream = kv::Writer(*linked.module).write(roots, typed.modules);
  auto *data = static_cast<uint8_t *>(malloc(stream.size()));
  if (!data)
    return failed("no memory for the stream");
  memcpy(data, stream.data(), stream.size());
  return {data, stream.size(), nullptr};
}
