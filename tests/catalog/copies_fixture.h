// A catalog with one more repository, and copies of points there.
#pragma once

#include "tests/catalog/fixture.h"

namespace holdfast {

class CopiesTest : public CatalogTest {
 protected:
  CopiesTest() {
    write([this](db::Connection& db) { offsite = must(Repositories(db).add("offsite", {}, at(0))).id; });
  }

  // In state writing, on a chain of its own in the other repository.
  Copy begin_copy(const Point& point, const Copy* parent = nullptr) {
    Copy copy;
    copy.id = new_id();
    copy.point_id = point.id, copy.machine_id = machine, copy.repository_id = offsite;
    copy.created_at = at(50);
    copy.chain_id = parent != nullptr ? parent->chain_id : new_id();
    if (parent != nullptr) copy.kind = PointKind::incremental;
    write([&](db::Connection& db) {
      if (parent == nullptr) must(Points(db).add_chain({copy.chain_id, machine, offsite, at(0)}));
      must(Copies(db).add(copy));
    });
    return copy;
  }
  Copy committed_copy(const Point& point, const Copy* parent = nullptr) {
    Copy copy = begin_copy(point, parent);
    std::vector<Layer> layers;
    for (std::size_t i = 0; i < point.disks.size(); ++i) {
      Layer& layer = layers.emplace_back();
      layer.id = new_id(), layer.chain_id = copy.chain_id, layer.disk_id = point.disks[i].disk_id;
      layer.file = point.name + "/" + point.disks[i].name + ".qcow2", layer.image_id = random_hex(16);
      if (parent != nullptr) layer.parent_layer_id = parent->disks[i].layer_id;
      copy.disks.push_back({new_id(), layer.disk_id, layer.id, 35, "abc"});
    }
    copy.bytes_stored = 35 * layers.size();
    write([&](db::Connection& db) { must(Copies(db).commit(copy, layers)); });
    copy.state = PointState::committed;
    return copy;
  }
  Repositories::Usage usage() { return usage_of(offsite); }
  Repositories::Usage usage_of(Id of) {
    return read([&](db::Connection& db) { return must(Repositories(db).usage(of)); });
  }

  Id offsite = 0;
};

}  // namespace holdfast
