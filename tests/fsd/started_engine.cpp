#include "tests/fsd/started_engine.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/repositories.h"
#include "engine/common/audit.h"
#include "engine/runs/accounts.h"
#include "tests/fsd/layer_files.h"
#include "tests/lib/driver_fields.h"
#include "tests/lib/new_catalog.h"

namespace holdfast::test {
namespace {

constexpr std::size_t kCluster = 4096;

std::unique_ptr<Engine> start(const std::string& state, const Clock& clock, Observer& observer) {
  put_new_catalog(state + "/catalog.sqlite");
  return must(Engine::start({.state = state, .clock = &clock, .observer = &observer}));
}

}  // namespace

StartedEngine::StartedEngine()
    : engine_(start(state_.path(), clock_, changes_)),
      connection_(must(db::Connection::open(state_ / "catalog.sqlite", db::Mode::read_write))) {
  must(connection_->execute_script("PRAGMA synchronous = OFF"));  // durability is not tested here
}

StartedEngine::~StartedEngine() { engine_->stop(); }

Id StartedEngine::object(ObjectKind kind, std::string_view name) {
  const auto found = engine_->objects().find(kind, 0, name);
  return found ? *found : must(engine_->objects().create(kind, name, {}));
}

void StartedEngine::define_all() {
  MachineDefinition of_machine;
  of_machine.driver = "qmp";
  of_machine.fields = driver_fields({{"socket", socket()}});
  of_machine.disks = {a_disk("disk-0", {{"node", "node0"}})};
  must(engine_->objects().define(object(ObjectKind::machine, "m"), of_machine, {}));
  RepositoryDefinition of_repository;
  of_repository.path = repositories_.path();
  of_repository.cluster_size = kCluster;
  must(engine_->objects().define(object(ObjectKind::repository, "r"), of_repository, {}));
  FlowDefinition of_flow;
  of_flow.target = "machines/m";
  of_flow.repository = "r";
  must(engine_->objects().define(object(ObjectKind::flow, "f"), of_flow, {}));
}

Id StartedEngine::begin_execution(Id flow, const std::string& name) {
  return write([&](db::Connection& db) -> Result<Id> {
    Execution execution;
    execution.id = new_id();
    execution.flow_id = flow;
    execution.name = name;
    execution.created_at = clock_.now();
    HF_CHECK(Executions(db).add(execution));
    Job job = runs::new_job(JobType::backup, "", clock_.now());
    job.execution_id = execution.id;
    HF_CHECK(runs::add_to_execution(db, job));
    HF_CHECK(runs::job_started(db, job.id, clock_.now()));
    return execution.id;
  });
}

void StartedEngine::end_execution(Id execution, RunStatus status) {
  write([&](db::Connection& db) -> Result<Execution> {
    HF_TRY(const auto jobs, Jobs(db).of_execution(execution));
    for (const Named& job : jobs) HF_CHECK(runs::job_ended(db, job.id, {.status = status}, clock_.now()));
    return runs::end_execution(db, execution, EndReason::failed, "", clock_.now());
  });
}

std::string StartedEngine::directory_of(db::Connection& db, const Point& point) {
  const Machine machine = must(Machines(db).get(point.machine_id));
  const Repository repository = must(Repositories(db).get(point.repository_id));
  return fmt::format("{}/{}/{}", repository.definition.path, machine.key, point.name);
}

Id StartedEngine::add_point(Id machine, const std::string& name, const std::string& disk,
                            const std::string& content) {
  const Id of_disk = must(engine_->objects().find(ObjectKind::disk, machine, disk));
  return write([&](db::Connection& db) -> Result<Id> {
    HF_TRY(const auto repository, Repositories(db).find("r"));
    Point point;
    point.id = new_id();
    point.machine_id = machine;
    point.repository_id = *repository;
    point.chain_id = new_id();
    point.name = name;
    point.time = clock_.now();
    point.full_reason = FullReason::no_parent;
    point.cluster_size = kCluster;

    std::vector<bool> stored(divide_up(content.size(), kCluster));
    for (std::size_t i = 0; i < stored.size(); ++i)
      stored[i] = !is_zero(as_bytes(std::string_view(content).substr(i * kCluster, kCluster)));
    image::WriterOptions options;
    options.virtual_size = content.size();
    options.cluster_size = kCluster;
    options.id = image::new_image_id();
    options.compressors = 1;
    Layer layer;
    layer.id = new_id();
    layer.chain_id = point.chain_id;
    layer.disk_id = of_disk;
    layer.file = name + "/" + disk + ".qcow2";
    layer.image_id = image::hex(options.id);
    const std::string directory = directory_of(db, point);
    std::filesystem::create_directories(directory);
    layer.file_bytes = write_layer(directory, disk, options, content, stored);

    PointDisk row;
    row.id = new_id();
    row.point_id = point.id;
    row.disk_id = of_disk;
    row.name = disk;
    row.capacity = content.size();
    row.full_reason = point.full_reason;
    row.bytes_used = kCluster * static_cast<std::size_t>(std::ranges::count(stored, true));
    row.layer_id = layer.id;
    point.disks = {row};
    Points points(db);
    HF_CHECK(points.add_chain({point.chain_id, machine, *repository, point.time}));
    HF_CHECK(points.add(point));
    HF_CHECK(points.freeze(point.id, point.time, point.name, point.chain_id));
    HF_CHECK(points.commit(point, {layer}));
    return point.id;
  });
}

void StartedEngine::damage(Id point) {
  write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Point row, Points(db).get(point));
    for (const PointDisk& disk : row.disks) {
      const std::string path = fmt::format("{}/{}.qcow2", directory_of(db, row), disk.name);
      const auto size = std::filesystem::file_size(path);
      std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
      file.seekp(kCluster) << std::string(size - kCluster, '\xff');
    }
    return {};
  });
}

void StartedEngine::make_events(int count) {
  write([&](db::Connection& db) -> Result<> {
    for (int i = 0; i < count; ++i)
      HF_CHECK(record(db, make_event(clock_.now(), "test.event", fmt::format("things/{}", i), {})));
    return {};
  });
}

void StartedEngine::cut_events() {
  write([](db::Connection& db) {
    return db.execute_script("INSERT INTO event_parts (id, bytes) SELECT max(id), 0 FROM events");
  });
}

void StartedEngine::await(const std::function<bool()>& holds) {
  for (;;) {
    const int before = changes_.count();
    if (holds()) return;
    changes_.await_more_than(before);
  }
}

void StartedEngine::Changes::changed(ObjectKind, Id) {
  const std::lock_guard lock(mutex_);
  ++count_;
  changed_.notify_all();
}

int StartedEngine::Changes::count() {
  const std::lock_guard lock(mutex_);
  return count_;
}

void StartedEngine::Changes::await_more_than(int count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return count_ > count; });
}

}  // namespace holdfast::test
