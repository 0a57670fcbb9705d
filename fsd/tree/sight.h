// Tells which objects a reader may see (law 19). Other objects are in no listing, summary or log that is
// rendered for that reader.
#pragma once

#include <map>

#include "fsd/tree/row.h"

namespace holdfast::tree {

// Serves one reader, one rendering and one thread. The engine outlives it.
class Sight {
 public:
  Sight(Engine& engine, const Asker& reader) : engine_(engine), reader_(reader) {}

  // Tells whether the reader may see an object of that kind and ownership.
  bool covers(ObjectKind kind, const Ownership& ownership);
  // Tells the same by the object's id. An object that is gone is not covered.
  bool covers(ObjectKind kind, Id id);

  const Asker& reader() const { return reader_; }

 private:
  bool covers_collection(ObjectKind kind);

  Engine& engine_;
  const Asker& reader_;
  std::map<ObjectKind, bool> collections_;
};

}  // namespace holdfast::tree
