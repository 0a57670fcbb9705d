// Ground that the steps of a pruning share: one machine in one repository, and the outcome so far.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "catalog/stores/retention.h"
#include "engine/common/services.h"
#include "engine/repository/place.h"
#include "engine/sources/driver.h"

namespace holdfast::retention {

struct PruneOutcome {
  std::vector<std::string> gone;   // names of points that no repository holds any more
  std::vector<std::string> moved;  // names of points that left one repository and stay in another
  std::size_t layers_removed = 0;
  std::size_t merges = 0;
  std::uint64_t bytes_freed = 0;
  std::uint64_t bytes_written = 0;  // by merges
  bool refused = false;  // the repository was away or differed from the catalog, so nothing was deleted
  std::vector<std::string> put_off;  // sentences: what could not be done now, and why
  std::vector<std::string> told;     // sentences: each place of a point that goes, and why
};

struct Ground {
  static Ground of(const capture::Services& services, const Machine& machine, const Repository& repository,
                   std::shared_ptr<repository::Place> place, const source::Cancel& cancel,
                   PruneOutcome& outcome) {
    return {.services = services,
            .place = std::move(place),
            .key = machine.key,
            .name = repository.name,
            .machine = machine.id,
            .repository = repository.id,
            .cancel = cancel,
            .outcome = outcome};
  }

  const capture::Services& services;
  std::shared_ptr<repository::Place> place;
  std::string key;   // the machine's directory in the repository
  std::string name;  // the repository's name
  Id machine = 0, repository = 0;
  const source::Cancel& cancel;
  PruneOutcome& outcome;

  Directory& directory() const { return place->directory(); }
  Result<std::vector<Retention::StoredLayer>> layers() const {
    return services.catalog.read(
        [&](db::Connection& db) { return Retention(db).layers(machine, repository); });
  }
  template <class Act>
  auto write(Act act) const {
    return services.catalog.write([&](db::Connection& db) { return act(Retention(db)); });
  }
  Result<> check_cancel() const {
    if (cancel.requested()) return fail(ECANCELED, "cancelled");
    return {};
  }
};

// A disk's layers from the newest to the oldest; each rests on the next one.
using Tower = std::vector<Retention::StoredLayer>;

// Returns a tower for each top layer, from the layers that points or copies show and those below them.
std::vector<Tower> towers_of(const std::vector<Retention::StoredLayer>& layers);
// A layer that no point and no copy shows, with everything that reads through it. Each viewer is a tower that
// begins with the lowest shown layer above. Branched chains have several viewers, because a copy that arrives
// late may rest on an older point.
struct Hidden {
  Retention::StoredLayer layer;
  std::vector<Tower> viewers;

  // The value of `punched_under` once no more can be punched out than these viewers allow.
  Id seen_by() const;
};
std::vector<Hidden> hidden_in(const std::vector<Tower>& towers);

// Whether a merge of the layer was begun and is not recorded as ended.
inline bool is_merging(const Layer& layer) { return !layer.merging_image_id.empty(); }

// Returns the layers that no shown layer needs, the newest first. Each can be removed once those before it
// are.
std::vector<Retention::StoredLayer> unneeded(const std::vector<Retention::StoredLayer>& layers);

// Directories of the machine in the repository that the catalog knows, by their names.
struct KnownPoints {
  std::set<std::string> committed;  // copies included
  std::set<std::string> all;        // with retired points, and those that are being written
};
Result<KnownPoints> known_points(db::Connection& db, Id machine, Id repository, Time now);

// Disk space that the layer's files take up. A missing file counts 0.
Result<std::uint64_t> stored_bytes(const Ground& ground, const Layer& layer);

// Removes the file. A missing file is no error.
Result<> remove_if_there(Directory& directory, const std::string& path);

}  // namespace holdfast::retention
