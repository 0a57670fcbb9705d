#include "engine/verify/document_check.h"

#include "catalog/base/sha256.h"
#include "catalog/stores/document_digests.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "engine/repository/definitions.h"
#include "engine/repository/documents.h"
#include "engine/repository/facts.h"
#include "engine/repository/renewal.h"
#include "engine/repository/sequence.h"

namespace holdfast::verify {
namespace {

using repository::Place;

constexpr char kChanged[] = "this is not what was written";

// Returns why the file does not have this digest, or "".
Result<std::string> fault_of(const Directory& directory, const std::string& file, const std::string& sha256) {
  const auto text = read_small_file(directory, file);
  if (!text && text.error().code == ENOENT) return "it is missing";
  HF_CHECK(text);
  return sha256_hex(as_bytes(*text)) == sha256 ? "" : kChanged;
}

}  // namespace

Result<std::vector<Misfit>> check_documents(Catalog& catalog, const Place& place, Id repository, Id id) {
  struct Recorded {
    std::string directory, object;
    DocumentDigests::Pair digests;
  };
  const MutexLock lock(place.telling());  // facts and their digest are written one after the other
  HF_TRY(const Recorded recorded, catalog.read([&](db::Connection& db) -> Result<Recorded> {
    HF_TRY(const Point point, Points(db).get(id));
    HF_TRY(const Machine machine, Machines(db).get(point.machine_id));
    HF_TRY(auto digests, DocumentDigests(db).get(id, repository));
    return Recorded{fmt::format("{}/{}", machine.key, point.name),
                    fmt::format("machines/{}/points/{}", machine.name, point.name), std::move(digests)};
  }));
  std::vector<Misfit> misfits;
  const auto look = [&](Misfit::Kind kind, const char* name, const std::string& sha256) -> Result<> {
    if (sha256.empty()) return {};
    const std::string file = recorded.directory + "/" + name;
    HF_TRY(std::string fault, fault_of(place.directory(), file, sha256));
    if (!fault.empty()) misfits.push_back({kind, repository, id, recorded.object, file, std::move(fault)});
    return {};
  };
  HF_CHECK(look(Misfit::Kind::manifest, "manifest.json", recorded.digests.manifest));
  if (!recorded.digests.facts_are_due)
    HF_CHECK(look(Misfit::Kind::facts, "facts.json", recorded.digests.facts));
  return misfits;
}

Result<std::vector<Misfit>> check_own_documents(Catalog& catalog, const Place& place, Id repository) {
  std::vector<Misfit> misfits;
  const auto add = [&](Misfit::Kind kind, const std::string& file, std::string why) {
    misfits.push_back({kind, repository, 0, "", file, std::move(why)});
  };
  HF_TRY(std::string index,
         fault_of(place.directory(), "INDEX.txt", sha256_hex(as_bytes(repository::index_text()))));
  if (!index.empty()) add(Misfit::Kind::index, "INDEX.txt", std::move(index));
  if (const auto checked = repository::check_sequence(catalog, place, repository); !checked) {
    if (!checked.error().damage) return tl::make_unexpected(checked.error());
    add(Misfit::Kind::sequence, "sequence.json", checked.error().message);
  }
  HF_TRY(const auto definitions, repository::differing_definitions(catalog, place));
  for (const std::string& file : definitions) add(Misfit::Kind::definitions, file, kChanged);
  return misfits;
}

Result<> renew(Catalog& catalog, const Place& place, const Misfit& misfit, bool has_all) {
  switch (misfit.kind) {
    case Misfit::Kind::manifest:
      return repository::renew_manifest(catalog, place.directory(), misfit.repository, misfit.point);
    case Misfit::Kind::facts: return repository::tell_facts(catalog, place, misfit.repository, misfit.point);
    case Misfit::Kind::index:
      return repository::renew_documents(catalog, place.directory(), misfit.repository);
    case Misfit::Kind::sequence:
      return repository::renew_sequence(catalog, place, misfit.repository, has_all);
    case Misfit::Kind::definitions:
      return repository::tell_definitions(catalog, place, misfit.repository, repository::Tell::anew);
  }
  return {};
}

}  // namespace holdfast::verify
