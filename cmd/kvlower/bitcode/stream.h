// Writing the stream. Every number is a LEB128 varint, signed ones in zigzag.
// Strings, types and source positions are interned: they are written as indices
// into tables that stand before everything that uses them.
//
//   stream  = "KVBC" version target strings types positions debugtypes globals functions roots shapes
//   strings = n { length bytes }
//   types   = n { kind bits len packed n { type } }
//   positions = n { file line col function parent }      parent is 1+index, 0 at the outermost
//   debugtypes, shapes: see shape.cpp; the rest: write.cpp, func.cpp
//
// The reader is cmd/kvlower/module; both change together with streamVersion.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace kv {

constexpr uint64_t streamVersion = 3;

class Buffer {
public:
  void u(uint64_t n) {
    for (; n >= 0x80; n >>= 7)
      bytes.push_back(char(n | 0x80));
    bytes.push_back(char(n));
  }
  void i(int64_t n) { u((uint64_t(n) << 1) ^ uint64_t(n >> 63)); }
  void raw(const std::string &s) {
    u(s.size());
    bytes += s;
  }
  std::string bytes;
};

// Table interns keys that have been written to its buffer.
template <class Key> class Table {
public:
  // find returns true and the index when the key is known.
  bool find(const Key &key, uint64_t &index) const {
    auto it = ids.find(key);
    if (it == ids.end())
      return false;
    index = it->second;
    return true;
  }
  // add gives the key the next index; the caller then writes to buf.
  uint64_t add(const Key &key) { return ids[key] = count++; }
  Buffer buf;
  uint64_t count = 0;

private:
  std::map<Key, uint64_t> ids;
};

} // namespace kv
