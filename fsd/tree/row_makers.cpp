#include "fsd/tree/row_makers.h"

#include "catalog/model/hidden_fields.h"
#include "fsd/views/views.h"

namespace holdfast::tree {
namespace {

Result<MachineDefinition> current(Engine& engine, Id id, const Asker& reader, MachineDefinition*) {
  HF_TRY(const MachineView view, engine.status().machine(id, reader));
  return view.machine.definition;
}
Result<RepositoryDefinition> current(Engine& engine, Id id, const Asker& reader, RepositoryDefinition*) {
  HF_TRY(const RepositoryView view, engine.status().repository(id, reader));
  return view.repository.definition;
}
Result<FlowDefinition> current(Engine& engine, Id id, const Asker& reader, FlowDefinition*) {
  HF_TRY(const FlowView view, engine.status().flow(id, reader));
  return view.flow.definition;
}
Result<GroupDefinition> current(Engine& engine, Id id, const Asker& reader, GroupDefinition*) {
  HF_TRY(const GroupView view, engine.status().group(id, reader));
  return view.group.definition;
}
Result<ScheduleDefinition> current(Engine& engine, Id id, const Asker& reader, ScheduleDefinition*) {
  HF_TRY(const ScheduleView view, engine.status().schedule(id, reader));
  return view.schedule.definition;
}
Result<PolicyDefinition> current(Engine& engine, Id id, const Asker& reader, PolicyDefinition*) {
  HF_TRY(const PolicyView view, engine.status().policy(id, reader));
  return view.policy.definition;
}
Result<SettingsDefinition> current(Engine& engine, Id, const Asker&, SettingsDefinition*) {
  return engine.objects().settings();
}

template <class Definition>
Result<> apply(Engine& engine, Id id, const Definition& definition, const Caller& caller) {
  return engine.objects().define(id, definition, caller);
}
// Settings belong to no object.
Result<> apply(Engine& engine, Id, const SettingsDefinition& settings, const Caller& caller) {
  return engine.objects().define(settings, caller);
}

template <class Definition>
Result<Definition> definition_of(Engine& engine, Id id, const Asker& reader) {
  return current(engine, id, reader, static_cast<Definition*>(nullptr));
}

template <class Definition>
Result<std::string> print(Engine& engine, const TreeNode& node, const Asker& reader) {
  HF_TRY(const Definition definition, definition_of<Definition>(engine, node.object, reader));
  return print_definition(definition);
}

template <class Definition>
Result<> commit(Engine& engine, Id id, std::string_view text, const Asker& asker) {
  if (asker.uid == 0) {
    HF_TRY(const Definition wanted, parse_definition<Definition>(text));
    return apply(engine, id, wanted, asker);
  }
  HF_TRY(const Definition now, definition_of<Definition>(engine, id, Asker{}));
  HF_TRY(const Definition shown, definition_of<Definition>(engine, id, asker));
  HF_TRY(const std::string whole, with_hidden_fields(text, print_definition(shown), print_definition(now)));
  HF_TRY(const Definition wanted, parse_definition<Definition>(whole));
  if (const std::string field = root_only_change(now, wanted); !field.empty())
    return fail(EPERM, "only root may set '{}', because it names something of the host", field);
  return apply(engine, id, wanted, asker);
}

}  // namespace

template <class Definition>
Config config_of() {
  return {print<Definition>, commit<Definition>};
}
template Config config_of<MachineDefinition>();
template Config config_of<RepositoryDefinition>();
template Config config_of<FlowDefinition>();
template Config config_of<GroupDefinition>();
template Config config_of<ScheduleDefinition>();
template Config config_of<PolicyDefinition>();
template Config config_of<SettingsDefinition>();

Result<std::string> show_disk(Engine& engine, const TreeNode& node, const Asker& reader) {
  HF_TRY(const Stamp stamp, engine.status().stamp(ObjectKind::machine, node.parent));
  HF_TRY(const DiskView view, engine.status().disk(node.parent, node.object, reader));
  return views::disk_status(view, stamp.revision);
}

Result<std::string> show_restore(Engine& engine, const TreeNode& node) {
  return engine.status().restore_text(node.object);
}

Result<std::string> show_screenshot(Engine& engine, const TreeNode& node) {
  return engine.status().screenshot(node.object);
}

bool has_screenshot(Engine& engine, Id point) {
  return engine.status().has_screenshot(point).value_or(false);
}

Result<std::string> job_name(Engine& engine, const TreeNode& node) {
  HF_TRY(const JobView view, engine.status().job(node.object, Asker{}));
  return view.job.name;
}

Result<std::vector<Named>> jobs_of_execution(Engine& engine, const TreeNode& directory) {
  HF_TRY(const ExecutionView view, engine.status().execution(directory.object, Asker{}));
  return view.jobs;
}

Result<std::vector<Named>> disks_with_a_flat_image(Engine& engine, const TreeNode& directory) {
  HF_TRY(const PointView view, engine.status().point(directory.object, Asker{}));
  std::vector<Named> disks;
  for (const PointDisk& disk : view.point.disks)
    if (disk.qcow2_bytes) disks.push_back({disk.id, disk.name});
  return disks;
}

Result<std::string> schedule_history(Engine& engine, const TreeNode& node, const Asker& reader) {
  constexpr int kShown = 1000;
  HF_TRY(const auto occurrences, engine.status().occurrences(node.object, kShown, reader));
  std::string text;
  for (const OccurrenceView& occurrence : occurrences)
    if (occurrence.occurrence.status != OccurrenceStatus::planned) text += views::occurrence_line(occurrence);
  return text;
}

Result<Meaning> machine_to_judge(Engine& engine, const TreeNode& directory, std::string_view name, Time) {
  HF_TRY(const Id machine, engine.objects().find(ObjectKind::machine, 0, name));
  return Meaning{machine, directory.object};
}

Result<std::string> show_preview(Engine& engine, const TreeNode& node, const Asker& reader) {
  HF_TRY(const PlanView plan, engine.status().preview(node.extra, node.object, reader));
  return views::plan_json(plan);
}

Result<ObjectId> newest_execution(Engine& engine, Id flow) {
  HF_TRY(const Named newest, engine.objects().latest(ObjectKind::execution, flow));
  return ObjectId{ObjectKind::execution, newest.id};
}

}  // namespace holdfast::tree
