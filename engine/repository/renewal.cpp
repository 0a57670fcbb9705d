#include "engine/repository/renewal.h"

#include "catalog/stores/copies.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "engine/repository/documents.h"

namespace holdfast::repository {
namespace {

struct Renewed {
  std::string path, text;
};

Result<Renewed> restore_document(db::Connection& db, Id id) {
  HF_TRY(const Point point, Points(db).get(id));
  HF_TRY(const Machine machine, Machines(db).get(point.machine_id));
  const ManifestNames names{.machine = machine.name, .repository = "", .parent = ""};
  return Renewed{fmt::format("{}/{}/RESTORE.txt", machine.key, point.name), restore_text(point, names)};
}

Result<std::vector<Id>> points_in(db::Connection& db, Id repository) {
  HF_TRY(auto points, Points(db).of_repository(repository));
  HF_TRY(const auto copies, Copies(db).of_repository(repository));
  for (const Id id : copies) {
    HF_TRY(const Copy copy, Copies(db).get(id));
    points.push_back(copy.point_id);
  }
  return points;
}

// A document that is not there belongs to a point that has gone meanwhile.
Result<> renew(Directory& directory, const Renewed& document) {
  const auto stored = read_small_file(directory, document.path);
  if (!stored && stored.error().code == ENOENT) return {};
  HF_CHECK(stored);
  return *stored == document.text ? Result<>{} : replace_file(directory, document.path, document.text);
}

}  // namespace

Result<> renew_documents(Catalog& catalog, Directory& directory, Id repository) {
  const auto index = read_small_file(directory, "INDEX.txt");
  if (!index && index.error().code != ENOENT) return tl::make_unexpected(index.error());
  if (index && *index == index_text()) return {};
  HF_TRY(const auto points, catalog.read([&](db::Connection& db) { return points_in(db, repository); }));
  for (const Id point : points) {
    const auto document = catalog.read([&](db::Connection& db) { return restore_document(db, point); });
    if (!document && document.error().code == ENOENT) continue;
    HF_CHECK(document);
    HF_CHECK(renew(directory, *document));
  }
  return replace_file(directory, "INDEX.txt", index_text());
}

}  // namespace holdfast::repository
