// Checks whether the documents of a repository are what was written there. They serve people and a Holdfast
// that begins again (law 10); the mount never shows them, so what is wrong in them spoils no point.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "engine/repository/place.h"

namespace holdfast::verify {

struct Misfit {
  enum class Kind { manifest, facts, index, sequence, definitions };
  Kind kind = Kind::manifest;
  Id repository = 0;
  Id point = 0;        // 0: the repository's own
  std::string object;  // "machines/m/points/T", or ""
  std::string file;    // relative to the repository
  std::string why;
};

// Looks at manifest.json and facts.json beside the point, or beside its copy there. A file that can't be read
// for another reason than its absence says nothing (law 21).
Result<std::vector<Misfit>> check_documents(Catalog& catalog, const repository::Place& place, Id repository,
                                            Id point);
// Looks at INDEX.txt, sequence.json and the definitions.
Result<std::vector<Misfit>> check_own_documents(Catalog& catalog, const repository::Place& place,
                                                Id repository);
// Writes the document anew, from the catalog. `has_all` says that all points were found in the repository.
Result<> renew(Catalog& catalog, const repository::Place& place, const Misfit& misfit, bool has_all);

}  // namespace holdfast::verify
