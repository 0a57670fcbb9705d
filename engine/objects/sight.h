// Decides which objects a reader may know of (law 19). All that a reader is shown is asked for in the
// reader's name: other objects are in no listing, status, summary, log or sentence.
//
// Functions of a transaction. Serves one reader and one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"
#include "catalog/model/mentions.h"
#include "engine/common/observer.h"

namespace holdfast {

class Sight {
 public:
  Sight(db::Connection& db, const Caller& reader) : db_(db), reader_(reader) {}

  bool covers_everything() const { return reader_.uid == 0; }
  // Tells whether the reader may see an object of that kind and ownership.
  bool covers(ObjectKind kind, const Ownership& ownership);
  // Tell the same by the object's id, or by its name. An object that is gone is not covered. A job is covered
  // if its machine is, too.
  bool covers(ObjectKind kind, Id id);
  bool covers(ObjectKind kind, std::string_view name);

  // Returns the sentence without the names of other objects. An old sentence about a hidden machine or
  // repository may tell of its paths, too: returns "".
  // Names that stand in `given`, a request of the reader's, are kept.
  std::string told(std::string_view sentence, Sentence age, std::string_view given = {});
  // Returns the definition without the names of other objects, and without the secrets of its notices. The
  // owner of the flow reads all of it.
  FlowDefinition shown(const Flow& flow);

  // Removes the objects that the reader may not see.
  void keep_seen(ObjectKind kind, std::vector<Named>& objects);
  // Empties the name of an object that the reader may not see.
  void keep_seen(ObjectKind kind, std::string& name);

 private:
  std::optional<bool> may_know(std::string_view path);

  db::Connection& db_;
  const Caller& reader_;
};

}  // namespace holdfast
