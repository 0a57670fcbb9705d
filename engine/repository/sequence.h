// The repository's count of commits, which orders points whatever the clock says (law 21).
//
//   sequence.json   the highest number given, and the catalog that gave it; replaced by one rename
//
// Each point, copy and batch of definitions gets the next number: first in the catalog, then in
// sequence.json, then in its own documents. So a catalog whose number is lower than the repository's, or that
// did not write last, is an older copy of the one that did, or another one. What it lacks there it can't
// judge: it adds points, but deletes and overwrites nothing until it has been put right.
//
// A repository may be older as well: a copy of it that somebody has put in its place. Its number is lower
// than that of a point which the catalog has committed there. Nothing is written to it until it has been put
// right.
//
// Any thread may call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "catalog/catalog.h"
#include "engine/repository/place.h"

namespace holdfast::repository {

// Returns what keeps this daemon from writing there: EBUSY if another holds the lease, ESTALE if the
// repository is older than the catalog. Tells the lease.
Result<> claim(Catalog& catalog, const Place& place, const Repository& repository);

// Records in the event log, once, that the lease was that of a dead process.
Result<> tell_lease(Catalog& catalog, const Place& place, const Repository& repository);

// Returns ESTALE if the repository is older than the catalog.
Result<> check_age(Catalog& catalog, const Place& place, Id repository);

inline constexpr char kSequence[] = "sequence.json";

struct Written {
  std::string catalog;       // key of the catalog that wrote last
  std::int64_t commits = 0;  // or the number that another file has
};
// Reads what a file says of a catalog and its number; nullopt if there is no such file. A file that says
// nothing is an error, because nobody can tell which numbers were given.
Result<std::optional<Written>> read_written(const Directory& directory, const char* file, const char* number);

// Returns EROFS if the repository has commits that the catalog lacks, and records so in the catalog; ESTALE
// as check_age() does.
Result<> check_known(Catalog& catalog, const Place& place, Id repository);

// Says that the catalog lacks commits of the repository.
std::string older_catalog_sentence(const Repository& repository);

// Returns damage if sequence.json is not what this catalog has written there last.
Result<> check_sequence(Catalog& catalog, const Place& place, Id repository);
// Writes sequence.json anew, with the catalog's count. EROFS if the file tells of commits that the catalog
// lacks; ESTALE if it tells of an older repository, unless `has_all` says that all points are there.
Result<> renew_sequence(Catalog& catalog, const Place& place, Id repository, bool has_all);

// Makes this catalog the one that writes there, once it has all that lies there; `highest` is the number of
// the last commit that it found.
Result<> adopt(Catalog& catalog, const Place& place, Id repository, std::int64_t highest);

// Takes the next number, in the catalog and in the repository. If the catalog lacks commits, that is recorded
// first.
Result<std::int64_t> take_number(Catalog& catalog, const Place& place, Id repository);

}  // namespace holdfast::repository
