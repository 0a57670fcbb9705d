// The repository's count of commits, which orders points whatever the clock says (law 21).
//
//   sequence.json   the highest number given, and the catalog that gave it; replaced by one rename
//
// Each point, copy and batch of definitions gets the next number: first in the catalog, then in
// sequence.json, then in its own documents. So a catalog whose number is lower than the repository's, or that
// did not write last, is an older copy of the one that did, or another one. What it lacks there it can't
// judge: it adds points, but deletes and overwrites nothing until it has been put right.
//
// Any thread may call.
#pragma once

#include "catalog/catalog.h"
#include "engine/repository/place.h"

namespace holdfast::repository {

// Returns EROFS if the repository has commits that the catalog lacks, and records so in the catalog.
Result<> check_known(Catalog& catalog, const Place& place, Id repository);

// Says that the catalog lacks commits of the repository.
std::string older_catalog_sentence(const Repository& repository);

// Returns damage if sequence.json is not what this catalog has written there last.
Result<> check_sequence(Catalog& catalog, const Place& place, Id repository);
// Writes sequence.json anew, with the catalog's count. EROFS if the file tells of commits that the catalog
// lacks.
Result<> renew_sequence(Catalog& catalog, const Place& place, Id repository);

// Makes this catalog the one that writes there, once it has all that lies there; `highest` is the number of
// the last commit that it found.
Result<> adopt(Catalog& catalog, const Place& place, Id repository, std::int64_t highest);

// Takes the next number, in the catalog and in the repository. If the catalog lacks commits, that is recorded
// first.
Result<std::int64_t> take_number(Catalog& catalog, const Place& place, Id repository);

}  // namespace holdfast::repository
