// What one reader may see of the objects that users make (law 19): what he may not, is in no listing, summary
// or log that he is shown. Files at the root ask here, object by object.
#pragma once

#include <map>

#include "fsd/tree/row.h"

namespace holdfast::tree {

// For one reader and one rendering; one thread. The engine outlives it.
class Sight {
 public:
  Sight(Engine& engine, const Asker& reader) : engine_(engine), reader_(reader) {}

  // An object of that kind with this owner and these bits.
  bool covers(ObjectKind kind, const Ownership& ownership);
  // The same, where only the id is known. What is gone is not covered.
  bool covers(ObjectKind kind, Id id);

  const Asker& reader() const { return reader_; }

 private:
  bool covers_collection(ObjectKind kind);

  Engine& engine_;
  const Asker& reader_;
  std::map<ObjectKind, bool> collections_;
};

}  // namespace holdfast::tree
