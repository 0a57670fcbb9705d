#include "engine/repository/renewal.h"

#include <algorithm>

#include "catalog/base/sha256.h"
#include "catalog/stores/copies.h"
#include "catalog/stores/document_digests.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
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

template <class Disks>
Result<std::vector<Layer>> layers_of(db::Connection& db, const Disks& disks) {
  std::vector<Layer> layers;
  for (const auto& disk : disks) {
    HF_TRY(layers.emplace_back(), Points(db).layer(disk.layer_id));
  }
  return layers;
}

// The manifest as a run would write it now.
Result<Renewed> manifest_of(db::Connection& db, Id repository, Id id) {
  HF_TRY(Point point, Points(db).get(id));
  HF_TRY(const Machine machine, Machines(db).get(point.machine_id));
  HF_TRY(const Repository place, Repositories(db).get(repository));
  ManifestNames names{
      .machine = machine.name, .repository = place.name, .parent = "", .flow_id = point.flow_id};
  HF_TRY(auto layers, layers_of(db, point.disks));
  if (point.repository_id != repository) {
    HF_TRY(const auto copies, Copies(db).of_point(id));
    const auto copy = std::ranges::find(copies, repository, &Copy::repository_id);
    if (copy == copies.end())
      return fail(ENOENT, "point '{}' has no copy in repository '{}'", point.name, place.name);
    HF_TRY(const Repository origin, Repositories(db).get(point.repository_id));
    names.flow_id = copy->flow_id;
    names.copied_from = origin.marker;
    names.copied_at = copy->created_at;
    HF_TRY(layers, layers_of(db, copy->disks));
    point = as_copied(std::move(point), *copy, layers);
  }
  for (const Layer& layer : layers) {
    if (!layer.parent_layer_id) continue;
    HF_TRY(const Layer below, Points(db).layer(*layer.parent_layer_id));
    names.parent = below.file.substr(0, below.file.find('/'));
  }
  return Renewed{fmt::format("{}/{}/manifest.json", machine.key, point.name),
                 manifest_text(point, names, machine.key, layers)};
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

Result<> renew_manifest(Catalog& catalog, Directory& directory, Id repository, Id id) {
  HF_TRY(const Renewed manifest,
         catalog.read([&](db::Connection& db) { return manifest_of(db, repository, id); }));
  const std::string folder = manifest.path.substr(0, manifest.path.rfind('/'));
  HF_CHECK(make_if_missing(directory, folder));
  HF_CHECK(replace_file(directory, manifest.path, manifest.text));
  return catalog.write([&](db::Connection& db) {
    return DocumentDigests(db).set_manifest(id, repository, sha256_hex(as_bytes(manifest.text)));
  });
}

}  // namespace holdfast::repository
