// A catalog in a directory of its own, with first rows.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "catalog/catalog.h"
#include "catalog/stores/chained_starts.h"
#include "catalog/stores/copies.h"
#include "catalog/stores/definition_changes.h"
#include "catalog/stores/events.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/groups.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/leftovers.h"
#include "catalog/stores/logs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/occurrences.h"
#include "catalog/stores/pins.h"
#include "catalog/stores/points.h"
#include "catalog/stores/policies.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/repository_sizes.h"
#include "catalog/stores/retention.h"
#include "catalog/stores/schedules.h"
#include "catalog/stores/settings_store.h"
#include "catalog/stores/totals.h"
#include "tests/lib/must.h"
#include "tests/lib/new_catalog.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast {

using test::must;
using test::open_new_catalog;
using test::TemporaryDirectory;

inline Time at(std::int64_t seconds) { return Time{std::chrono::seconds{1'800'000'000 + seconds}}; }

// A machine of a driver that the catalog does not know: it interprets no driver's fields.
inline MachineDefinition a_machine() {
  MachineDefinition definition;
  definition.driver = "abacus";
  definition.fields = R"({"beads":7})";
  definition.disks = {{"disk-0", R"({"row":0})"}, {"disk-1", R"({"row":1})"}};
  return definition;
}

inline RepositoryDefinition a_repository(std::string path = "/srv/backup") {
  RepositoryDefinition definition;
  definition.path = std::move(path);
  return definition;
}

inline FlowDefinition a_flow() {
  FlowDefinition definition;
  definition.target = "machines/m";
  definition.repository = "r";
  return definition;
}

inline Execution an_execution(Id flow, std::string name) {
  Execution execution;
  execution.id = new_id();
  execution.flow_id = flow;
  execution.name = std::move(name);
  execution.created_at = at(0);
  return execution;
}

inline Job a_job(std::string name) {
  Job job;
  job.id = new_id();
  job.name = std::move(name);
  job.created_at = at(0);
  return job;
}

inline void end(auto& run, RunStatus status, int started = 1, int completed = 3) {
  run.status = status;
  run.started_at = at(started);
  run.completed_at = at(completed);
}

// Calls a transaction's function and returns its value as a Result.
template <class F>
auto as_result(F& function, db::Connection& db) {
  using Value = std::invoke_result_t<F, db::Connection&>;
  if constexpr (std::is_void_v<Value>) {
    function(db);
    return Result<>{};
  } else {
    return Result<Value>{function(db)};
  }
}

// An open catalog with machine m (disks disk-0, disk-1), repository r, and flow f over both.
class CatalogTest : public testing::Test {
 protected:
  // Runs the function in a transaction that has to succeed, and returns its value.
  template <class F>
  auto write(F function) {
    return must(catalog->write([&](db::Connection& db) { return as_result(function, db); }));
  }
  template <class F>
  auto read(F function) {
    return must(catalog->read([&](db::Connection& db) { return as_result(function, db); }));
  }
  // Returns the error of a transaction that has to fail.
  template <class F>
  Error refused(F function) {
    const auto result = catalog->write(function);
    EXPECT_FALSE(result) << "it was accepted";
    return result ? Error{0, ""} : result.error();
  }

  CatalogTest() {
    write([this](db::Connection& db) {
      machine = must(Machines(db).add("m", {}, at(0))).id;
      repository = must(Repositories(db).add("r", {}, at(0))).id;
      flow = must(Flows(db).add("f", {}, at(0))).id;
      must(Machines(db).define(machine, a_machine(), at(1)));
      must(Repositories(db).define(repository, a_repository(), at(1)));
      must(Flows(db).define(flow, a_flow(), at(1)));
    });
  }

  Chain a_chain() {
    Chain chain{new_id(), machine, repository, at(0)};
    write([&](db::Connection& db) { must(Points(db).add_chain(chain)); });
    return chain;
  }

  // Adds a point in state writing, on a parent or as the first of a new chain.
  Point begin_point(std::string name, int seconds, const Point* parent = nullptr) {
    Point point;
    point.id = new_id();
    point.machine_id = machine;
    point.repository_id = repository;
    point.chain_id = parent == nullptr ? a_chain().id : parent->chain_id;
    point.name = std::move(name);
    point.time = at(seconds);
    point.cluster_size = 65536;
    if (parent != nullptr) {
      point.kind = PointKind::incremental;
      point.parent_point_id = parent->id;
    } else {
      point.full_reason = FullReason::no_parent;
    }
    write([&](db::Connection& db) {
      Points points(db);
      must(points.add(point));
      must(points.freeze(point.id, point.time, point.name, point.chain_id));
    });
    return point;
  }

  // Fills a point for its commit, and returns its layers: one a disk, on those of the parent.
  std::vector<Layer> fill(Point& point, const Point* parent = nullptr) {
    const auto disks = read([&](db::Connection& db) { return must(Machines(db).disks(machine)); });
    std::vector<Layer> layers;
    for (std::size_t i = 0; i < 2; ++i) {
      Layer layer;
      layer.id = new_id();
      layer.chain_id = point.chain_id;
      layer.disk_id = disks[i].id;
      if (parent != nullptr) layer.parent_layer_id = parent->disks[i].layer_id;
      layer.file = point.name + "/" + disks[i].name + ".qcow2";
      layer.image_id = random_hex(16);
      layer.file_bytes = 1000;
      layers.push_back(layer);
      PointDisk disk;
      disk.id = new_id();
      disk.point_id = point.id;
      disk.disk_id = disks[i].id;
      disk.name = disks[i].name;
      disk.capacity = 1 << 20;
      disk.kind = point.kind;
      disk.full_reason = point.full_reason;
      disk.change_id = "hf-bitmap";
      disk.bytes_stored = 500;
      disk.layer_id = layer.id;
      point.disks.push_back(disk);
    }
    point.bytes_stored = 1000;
    return layers;
  }

  Point committed_point(std::string name, int seconds, const Point* parent = nullptr) {
    Point point = begin_point(std::move(name), seconds, parent);
    const auto layers = fill(point, parent);
    write([&](db::Connection& db) { must(Points(db).commit(point, layers)); });
    point.state = PointState::committed;
    return point;
  }

  TemporaryDirectory directory;
  std::string path = directory / "catalog.sqlite";
  std::unique_ptr<Catalog> catalog = open_new_catalog(path);
  Id machine = 0, repository = 0, flow = 0;
};

}  // namespace holdfast
