#include "tests/fsd/memory_engine.h"

#include <algorithm>
#include <cstring>

#include "catalog/model/rights.h"
#include "tests/fsd/memory_thing.h"

namespace holdfast::test {

namespace {

constexpr std::uint64_t kCluster = 4096;

class MemoryImage final : public OpenedImage {
 public:
  MemoryImage(std::string content, const bool& lost) : content_(std::move(content)), lost_(lost) {}

  std::uint64_t size() const override { return content_.size(); }
  Result<> read(std::uint64_t offset, ByteSpan into) const override {
    if (lost_) return fail(EIO, "the cluster at {} does not match its checksum", offset);
    std::memcpy(into.data(), content_.data() + offset, into.size());
    return {};
  }
  Result<image::ReadExtent> extent(std::uint64_t offset, std::uint64_t at_most) const override {
    const auto is_data = [&](std::uint64_t at) {
      return !is_zero(as_bytes(std::string_view{content_}.substr(at, kCluster)));
    };
    const bool data = is_data(round_down(offset, kCluster));
    std::uint64_t end = round_down(offset, kCluster) + kCluster;
    while (end < content_.size() && is_data(end) == data) end += kCluster;
    end = std::min({end, offset + at_most, std::uint64_t{content_.size()}});
    return image::ReadExtent{data ? image::ReadExtent::Kind::data : image::ReadExtent::Kind::hole, offset,
                             end - offset, 0};
  }

 private:
  const std::string content_;
  const bool& lost_;
};

}  // namespace

MemoryEngine::MemoryEngine(const Clock& clock, Observer* observer) : clock_(clock), observer_(observer) {}
MemoryEngine::~MemoryEngine() = default;

Result<MemoryEngine::Thing*> MemoryEngine::get(ObjectKind kind, Id id) {
  ++questions_;
  const auto found = things_.find(id);
  if (found == things_.end() || found->second->kind != kind) return fail(ENOENT, "it is no longer there");
  return found->second.get();
}

std::vector<MemoryEngine::Thing*> MemoryEngine::of_kind(ObjectKind kind, Id parent) {
  std::vector<Thing*> all;
  for (const auto& [id, thing] : things_)
    if (thing->kind == kind && (kind == ObjectKind::job || thing->parent == parent))
      all.push_back(thing.get());
  return all;
}

MemoryEngine::Thing* MemoryEngine::find_thing(ObjectKind kind, Id parent, std::string_view name) {
  for (Thing* thing : of_kind(kind, parent))
    if (thing->object.name == name) return thing;
  return nullptr;
}

MemoryEngine::Thing& MemoryEngine::add(ObjectKind kind, Id parent, std::string_view name) {
  auto thing = std::make_unique<Thing>();
  thing->kind = kind;
  thing->parent = parent;
  thing->object = {.id = new_id(), .name = std::string{name}, .ownership = {}, .created_at = clock_.now()};
  touch(*thing);
  return *(things_[thing->object.id] = std::move(thing));
}

void MemoryEngine::touch(Thing& thing) {
  thing.object.revision = new_id();
  thing.object.changed_at = clock_.now();
  untold_.emplace_back(thing.kind, thing.object.id);
}

void MemoryEngine::tell() {
  std::vector<std::pair<ObjectKind, Id>> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(untold_);
  }
  if (observer_ == nullptr) return;
  for (const auto& [kind, id] : all) observer_->changed(kind, id);
}

void MemoryEngine::record(std::string event, std::string object, const Caller& caller) {
  Event it;
  it.id = new_id();
  it.at = clock_.now();
  it.event = std::move(event);
  it.object = std::move(object);
  it.by = caller;
  for (const auto& [id, thing] : things_)
    if (it.object.ends_with("/" + thing->object.name)) it.owner = thing->object.ownership;
  events_.push_back(std::move(it));
}

void MemoryEngine::end(Id id, RunStatus status) {
  {
    const std::lock_guard lock(mutex_);
    Thing& thing = *things_.at(id);
    thing.execution.status = status;
    thing.execution.completed_at = clock_.now();
    touch(thing);
    for (Thing* job : of_kind(ObjectKind::job, 0))
      if (job->parent == id) {
        job->job.status = status;
        touch(*job);
      }
    touch(*things_.at(thing.parent));
  }
  tell();
}

Id MemoryEngine::add_point(Id machine, const std::string& name, const std::string& disk,
                           std::string content) {
  const std::lock_guard lock(mutex_);
  Thing& point = add(ObjectKind::point, machine, name);
  Thing& of_disk = add(ObjectKind::point_disk, point.object.id, disk);
  PointDisk row;
  row.id = of_disk.object.id;
  row.point_id = point.object.id;
  row.name = disk;
  row.capacity = content.size();
  row.bytes_used = kCluster;
  of_disk.content = std::move(content);
  point.point.id = point.object.id;
  point.point.machine_id = machine;
  point.point.name = name;
  point.point.time = clock_.now();
  point.point.disks = {row};
  return point.object.id;
}

void MemoryEngine::give(ObjectKind kind, Id id, const Ownership& ownership) {
  const std::lock_guard lock(mutex_);
  (*get(kind, id))->object.ownership = ownership;
}

Result<Id> MemoryEngine::find(ObjectKind kind, Id parent, std::string_view name) {
  const std::lock_guard lock(mutex_);
  ++questions_;
  const Thing* thing = find_thing(kind, parent, name);
  if (thing == nullptr) return fail(ENOENT, "there is no '{}'", name);
  return thing->object.id;
}

Result<std::vector<Named>> MemoryEngine::list(ObjectKind kind, Id parent) {
  const std::lock_guard lock(mutex_);
  std::vector<Named> names;
  for (const Thing* thing : of_kind(kind, parent)) names.push_back({thing->object.id, thing->object.name});
  return names;
}

Result<std::string> MemoryEngine::path(ObjectKind kind, Id id) {
  static const std::map<ObjectKind, std::string> folders = {{ObjectKind::machine, "machines"},
                                                            {ObjectKind::repository, "repositories"},
                                                            {ObjectKind::flow, "flows"}};
  const std::lock_guard lock(mutex_);
  const auto folder = folders.find(kind);
  const std::string above = folder == folders.end() ? "things" : folder->second;
  if (id == 0) return above;
  HF_TRY(const Thing* thing, get(kind, id));
  return above + "/" + thing->object.name;
}

Result<> MemoryEngine::set_ownership(ObjectKind kind, Id id, const Ownership& ownership,
                                     const Caller& caller) {
  const std::lock_guard lock(mutex_);
  if (id == 0) {
    collections_[kind] = ownership;
    record("own", "collection", caller);
    return {};
  }
  HF_TRY(Thing * thing, get(kind, id));
  thing->object.ownership = ownership;
  touch(*thing);
  record("own", thing->object.name, caller);
  return {};
}

Result<Ownership> MemoryEngine::ownership(ObjectKind kind, Id id) {
  const std::lock_guard lock(mutex_);
  if (id == 0) {
    const auto given = collections_.find(kind);
    return given == collections_.end() ? Ownership{.mode = 0755} : given->second;
  }
  HF_TRY(const Thing* thing, get(kind, id));
  while (thing->parent != 0) thing = things_.at(thing->parent).get();
  return thing->object.ownership;
}

Result<Engine::Stamp> MemoryEngine::stamp(ObjectKind kind, Id id) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(kind, id));
  return Stamp{thing->object.revision, thing->object.changed_at};
}

Result<MachineView> MemoryEngine::machine(Id id) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(ObjectKind::machine, id));
  MachineView view;
  view.machine = thing->machine;
  static_cast<Object&>(view.machine) = thing->object;
  for (const Thing* disk : of_kind(ObjectKind::disk, id))
    view.disks.push_back(
        {.id = disk->object.id, .machine_id = id, .name = disk->object.name, .capacity = {}});
  view.revision = thing->object.revision;
  return view;
}

Result<RepositoryView> MemoryEngine::repository(Id id) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(ObjectKind::repository, id));
  RepositoryView view;
  view.repository = thing->repository;
  static_cast<Object&>(view.repository) = thing->object;
  view.state = thing->object.complete ? "ready" : "incomplete";
  view.revision = thing->object.revision;
  return view;
}

Result<FlowView> MemoryEngine::flow(Id id) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(ObjectKind::flow, id));
  FlowView view;
  view.flow = thing->flow;
  static_cast<Object&>(view.flow) = thing->object;
  const auto all = of_kind(ObjectKind::execution, id);
  if (!all.empty()) view.last = all.back()->execution;
  view.running = view.last && !is_final(view.last->status);
  view.revision = thing->object.revision;
  return view;
}

Result<ExecutionView> MemoryEngine::execution(Id id) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(ObjectKind::execution, id));
  ExecutionView view;
  view.execution = thing->execution;
  view.execution.revision = thing->object.revision;
  view.flow = things_.at(thing->parent)->object.name;
  for (const Thing* job : of_kind(ObjectKind::job, 0))
    if (job->parent == id) view.jobs.push_back({job->object.id, job->object.name});
  return view;
}

Result<JobView> MemoryEngine::job(Id id) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(ObjectKind::job, id));
  JobView view;
  view.job = thing->job;
  view.job.revision = thing->object.revision;
  return view;
}

Result<PointView> MemoryEngine::point(Id id) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(ObjectKind::point, id));
  PointView view;
  view.point = thing->point;
  view.machine = things_.at(thing->parent)->object.name;
  return view;
}

Result<PointDisk> MemoryEngine::point_disk(Id id) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(ObjectKind::point_disk, id));
  return things_.at(thing->parent)->point.disks.at(0);
}

Result<SummaryView> MemoryEngine::summary(const Caller& reader) {
  const std::lock_guard lock(mutex_);
  SummaryView view;
  for (const Thing* thing : of_kind(ObjectKind::machine, 0))
    if (may_see(reader, thing->object.ownership)) ++view.machines;
  for (const Thing* thing : of_kind(ObjectKind::flow, 0))
    if (may_see(reader, thing->object.ownership)) ++view.flows;
  return view;
}

Result<Id> MemoryEngine::drain(const DrainRequest& request, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  draining_ = true;
  record("daemon.drain", "control", caller);
  Thing& job = add(ObjectKind::job, 0, request.name.empty() ? "j-drain" : request.name);
  job.job.name = job.object.name;
  job.job.type = JobType::drain;
  return job.object.id;
}

Result<Named> MemoryEngine::latest(ObjectKind kind, Id parent) {
  const std::lock_guard lock(mutex_);
  const auto all = of_kind(kind, parent);
  if (all.empty()) return fail(ENOENT, "there is none yet");
  return Named{all.back()->object.id, all.back()->object.name};
}

Result<Id> MemoryEngine::create(ObjectKind kind, std::string_view name, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  if (find_thing(kind, 0, name) != nullptr) return fail(EEXIST, "there is a '{}' already", name);
  record("create", std::string{name}, caller);
  return add(kind, 0, name).object.id;
}

Result<> MemoryEngine::remove(ObjectKind kind, Id id, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(kind, id));
  for (const Thing* execution : of_kind(ObjectKind::execution, id))
    if (!is_final(execution->execution.status)) return fail(EBUSY, "'{}' is running", thing->object.name);
  record("remove", thing->object.name, caller);
  erase(id);
  return {};
}

void MemoryEngine::erase(Id id) {
  things_.erase(id);
  std::vector<Id> below;
  for (const auto& [child, thing] : things_)
    if (thing->parent == id) below.push_back(child);
  for (const Id child : below) erase(child);
}

Result<> MemoryEngine::rename(ObjectKind kind, Id id, std::string_view name, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(kind, id));
  if (find_thing(kind, 0, name) != nullptr) return fail(EEXIST, "there is a '{}' already", name);
  record("rename", thing->object.name, caller);
  thing->object.name = name;
  touch(*thing);
  return {};
}

Result<> MemoryEngine::define(Id id, const MachineDefinition& definition, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::machine, id));
  thing->machine.definition = definition;
  thing->object.complete = true;
  for (const DiskDefinition& disk : definition.disks)
    if (find_thing(ObjectKind::disk, id, disk.name) == nullptr) add(ObjectKind::disk, id, disk.name);
  touch(*thing);
  record("machine.define", thing->object.name, caller);
  return {};
}

Result<> MemoryEngine::define(Id id, const RepositoryDefinition& definition, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::repository, id));
  thing->repository.definition = definition;
  thing->object.complete = true;
  touch(*thing);
  record("repository.define", thing->object.name, caller);
  return {};
}

Result<> MemoryEngine::define(Id id, const FlowDefinition& definition, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::flow, id));
  if (find_thing(ObjectKind::repository, 0, definition.repository) == nullptr)
    return fail(ENOENT, "there is no repository '{}'", definition.repository);
  thing->flow.definition = definition;
  thing->object.complete = true;
  touch(*thing);
  record("flow.define", thing->object.name, caller);
  return {};
}

Result<Id> MemoryEngine::run(Id flow, const RunRequest& request, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::flow, flow));
  const auto before = of_kind(ObjectKind::execution, flow);
  if (!before.empty() && !is_final(before.back()->execution.status))
    return fail(EBUSY, "flows/{} is running already", thing->object.name);
  const std::string name = request.name.empty() ? fmt::format("r{}", before.size() + 1) : request.name;
  if (find_thing(ObjectKind::execution, flow, name) != nullptr) return fail(EEXIST, "'{}' is taken", name);
  Thing& execution = add(ObjectKind::execution, flow, name);
  execution.execution.id = execution.object.id;
  execution.execution.name = name;
  execution.execution.status = RunStatus::running;
  execution.execution.type = request.by.empty() ? ExecutionType::manual : ExecutionType::api;
  execution.execution.created_at = clock_.now();
  Thing& job = add(ObjectKind::job, execution.object.id, fmt::format("j-{}", execution.object.id));
  job.job.name = job.object.name;
  job.job.status = RunStatus::running;
  touch(*thing);
  record("flow.run", thing->object.name, caller);
  return execution.object.id;
}

Result<Id> MemoryEngine::back_up(Id machine, const BackupRequest& request, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(ObjectKind::machine, machine));
  if (find_thing(ObjectKind::repository, 0, request.repository) == nullptr)
    return fail(ENOENT, "there is no repositories/{}", request.repository);
  Thing& job = add(ObjectKind::job, 0, request.name.empty() ? "j-backup" : request.name);
  job.job.name = job.object.name;
  job.job.status = RunStatus::running;
  record("machine.backup", thing->object.name, caller);
  return job.object.id;
}

Result<Id> MemoryEngine::import_image(Id repository, const ImportRequest& request, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(ObjectKind::repository, repository));
  if (find_thing(ObjectKind::machine, 0, request.machine) == nullptr)
    return fail(ENOENT, "there is no machine '{}'", request.machine);
  Thing& job = add(ObjectKind::job, 0, request.name.empty() ? "j-import" : request.name);
  job.job.name = job.object.name;
  job.job.type = JobType::import;
  job.job.status = RunStatus::running;
  job.job.operation = request.file + " as " + request.disk;
  record("repository.import", thing->object.name, caller);
  return job.object.id;
}

Result<Id> MemoryEngine::verify(ObjectKind kind, Id object, const VerifyRequest& request,
                                const Caller& caller) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(kind, object));
  Thing& job = add(ObjectKind::job, 0, request.name.empty() ? "j-verify" : request.name);
  job.job.name = job.object.name;
  job.job.type = JobType::verify;
  job.job.status = RunStatus::running;
  job.job.operation = to_word(request.level);
  record("verify", thing->object.name, caller);
  return job.object.id;
}

Result<Id> MemoryEngine::test(ObjectKind kind, Id object, const std::string& name, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(kind, object));
  Thing& job = add(ObjectKind::job, 0, name.empty() ? "j-test" : name);
  job.job.name = job.object.name;
  job.job.type = JobType::test;
  job.job.status = RunStatus::running;
  record("test", thing->object.name, caller);
  return job.object.id;
}

Result<> MemoryEngine::define(const SettingsDefinition& settings, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
  record("settings.define", "config.json", caller);
  return {};
}

Result<std::shared_ptr<OpenedImage>> MemoryEngine::open_image(Id id, ImageForm, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(ObjectKind::point_disk, id));
  record("image.open", thing->object.name, caller);
  return std::make_shared<MemoryImage>(thing->content, images_lost_);
}

}  // namespace holdfast::test
