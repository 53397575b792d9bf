//go:build cadical

#include "cadical.h"

#include <cadical.hpp>

namespace {

// CaDiCaL tells a Learner of every clause it learns, and it learns one per conflict.
class Counter : public CaDiCaL::Learner {
public:
  int64_t count = 0;
  bool learning(int) override {
    count++;
    return false;
  }
  void learn(int) override {}
};

} // namespace

struct kv_cadical {
  CaDiCaL::Solver solver;
  Counter counter;
};

kv_cadical *kv_cadical_new(void) {
  kv_cadical *s = new kv_cadical;
  s->solver.set("quiet", 1);
  s->solver.connect_learner(&s->counter);
  return s;
}

void kv_cadical_free(kv_cadical *s) {
  s->solver.disconnect_learner();
  delete s;
}

void kv_cadical_add(kv_cadical *s, const int32_t *lits, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    s->solver.add(lits[i]);
}

int kv_cadical_solve(kv_cadical *s, const int32_t *assumptions, int64_t n, int budget, int64_t *conflicts) {
  for (int64_t i = 0; i < n; i++)
    s->solver.assume(assumptions[i]);
  s->solver.limit("conflicts", budget);
  int64_t before = s->counter.count;
  int result = s->solver.solve();
  *conflicts = s->counter.count - before;
  return result;
}

int kv_cadical_value(kv_cadical *s, int32_t lit) { return s->solver.val(lit) > 0; }

int kv_cadical_failed(kv_cadical *s, int32_t lit) { return s->solver.failed(lit); }

int kv_cadical_prove(const char *formula, int budget, const char *proof) {
  CaDiCaL::Solver s;
  s.set("quiet", 1);
  s.set("lrat", 1);
  s.set("binary", 0);
  // From a file, since then clauses keep their numbers: those added one by one
  // share theirs with what is derived on the way.
  int vars;
  if (!s.trace_proof(proof) || s.read_dimacs(formula, vars))
    return -1;
  s.limit("conflicts", budget);
  int result = s.solve();
  s.flush_proof_trace();
  s.close_proof_trace();
  return result;
}
