#pragma once

#include <string>
#include <string_view>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Digests of manifest.json and facts.json as they were written: a pair for each repository in which a point
// lies. Lives inside one transaction.
class DocumentDigests {
 public:
  explicit DocumentDigests(db::Connection& connection) : db_(connection) {}

  struct Pair {
    std::string manifest;        // "": unknown, because an earlier version wrote it
    std::string facts;           // "": unknown, or never written
    bool facts_are_due = false;  // newer facts are about to be written
  };
  Result<Pair> get(Id point, Id repository);
  Result<> set_manifest(Id point, Id repository, std::string_view sha256);
  Result<> set_facts(Id point, Id repository, std::string_view sha256);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
