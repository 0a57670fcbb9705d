// One machine in one repository, while room is made there: what the steps of a pruning share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catalog/stores/retention.h"
#include "engine/capture/services.h"
#include "engine/repository/place.h"
#include "engine/sources/driver.h"

namespace holdfast::retention {

struct Outcome {
  std::vector<std::string> gone;   // points, by name
  std::vector<std::string> moved;  // points that are elsewhere still, and have gone from a repository
  std::size_t layers_removed = 0;
  std::size_t merges = 0;
  std::uint64_t bytes_freed = 0;
  std::uint64_t bytes_written = 0;  // by merging
  bool refused = false;  // by a repository that is away, or not what the catalog says: nothing went there
  std::vector<std::string> put_off;  // what could not be done now, and why
};

struct Ground {
  const capture::Services& services;
  std::shared_ptr<repository::Place> place;
  std::string key;   // the machine's directory in the repository
  std::string name;  // the repository's
  Id machine = 0, repository = 0;
  const source::Cancel& cancel;
  Outcome& outcome;

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

// A disk's layers, the newest first; all rest on the last one.
using Tower = std::vector<Retention::StoredLayer>;

// Those that points or copies show, and what they rest on; a tower for each layer that none rests on.
std::vector<Tower> towers_of(const std::vector<Retention::StoredLayer>& layers);
// A layer that no point and no copy shows, and all that see something of it: each a tower from the lowest
// shown layer above it down. More than one where chains branch: what is carried later may rest on an older
// point.
struct Hidden {
  Retention::StoredLayer layer;
  std::vector<Tower> viewers;

  // What `punched_under` is once nothing is left of it but what they see.
  Id seen_by() const;
};
std::vector<Hidden> hidden_in(const std::vector<Tower>& towers);

// Those that nobody needs any more, the newest first: each can go once those before it have gone.
std::vector<Retention::StoredLayer> unneeded(const std::vector<Retention::StoredLayer>& layers);

// What its files take up; one that is missing takes up nothing.
Result<std::uint64_t> stored_bytes(const Ground& ground, const Layer& layer);

// Missing is fine.
Result<> remove_if_there(Directory& directory, const std::string& path);

}  // namespace holdfast::retention
