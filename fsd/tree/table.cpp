// The tree of the mount, declared: compare it with the contract line by line. A new file is a row here
// and a function that it names. No path is spelled anywhere else.
#include "fsd/tree/table.h"

#include "fsd/tree/row_makers.h"
#include "fsd/views/readme.h"
#include "fsd/views/views.h"

namespace holdfast::tree {

std::span<const Row> table() {
  using namespace views;
  using E = Engine;

  // clang-format off
  static const Row rows[] = {
    directory ("/", 0755),
    generated ("/README.txt", fixed_text<readme>, 0444),
    personal  ("/status.json", show_his<&E::summary, summary>),
    config    ("/config.json", config_of<SettingsDefinition>(), 0644),
    scratch   ("/{scratch}"),
    generated ("/config.schema.json", fixed_text<definition_schema<SettingsDefinition>>),
    log       ("/events.jsonl", 0444),
    control   ("/control", verbs::of_root(), 0644),
    error     ("/error"),

    collection("/machines"),
    error     ("/machines/error"),
    object    ("/machines/{machine}"),
    config    ("/machines/{machine}/config.json", config_of<MachineDefinition>()),
    scratch   ("/machines/{machine}/{scratch}"),
    generated ("/machines/{machine}/config.schema.json", fixed_text<definition_schema<MachineDefinition>>),
    generated ("/machines/{machine}/status.json", show<&E::machine, machine_status>),
    control   ("/machines/{machine}/control", verbs::of_machine()),
    error     ("/machines/{machine}/error"),
    directory ("/machines/{machine}/disks"),
    error     ("/machines/{machine}/disks/error"),
    object    ("/machines/{machine}/disks/{disk}", 0555),
    generated ("/machines/{machine}/disks/{disk}/status.json", show_disk),
    error     ("/machines/{machine}/disks/{disk}/error"),
    directory ("/machines/{machine}/points"),
    error     ("/machines/{machine}/points/error"),
    object    ("/machines/{machine}/points/{point}", 0555),
    image     ("/machines/{machine}/points/{point}/{point_disk}.raw", ImageForm::raw),
    image     ("/machines/{machine}/points/{point}/{point_disk}.qcow2", ImageForm::qcow2, disks_with_a_flat_image),
    generated ("/machines/{machine}/points/{point}/manifest.json", show<&E::point, point_manifest>),
    control   ("/machines/{machine}/points/{point}/control", verbs::of_point()),
    error     ("/machines/{machine}/points/{point}/error"),
    link      ("/machines/{machine}/latest", "/machines/{machine}/points/{point}", latest<ObjectKind::point>),

    collection("/repositories"),
    error     ("/repositories/error"),
    object    ("/repositories/{repository}"),
    config    ("/repositories/{repository}/config.json", config_of<RepositoryDefinition>()),
    scratch   ("/repositories/{repository}/{scratch}"),
    generated ("/repositories/{repository}/config.schema.json", fixed_text<definition_schema<RepositoryDefinition>>),
    generated ("/repositories/{repository}/status.json", show<&E::repository, repository_status>),
    control   ("/repositories/{repository}/control", verbs::of_repository()),
    error     ("/repositories/{repository}/error"),

    collection("/flows"),
    error     ("/flows/error"),
    object    ("/flows/{flow}"),
    config    ("/flows/{flow}/config.json", config_of<FlowDefinition>()),
    scratch   ("/flows/{flow}/{scratch}"),
    generated ("/flows/{flow}/config.schema.json", fixed_text<definition_schema<FlowDefinition>>),
    generated ("/flows/{flow}/status.json", show<&E::flow, flow_status>),
    control   ("/flows/{flow}/control", verbs::of_flow()),
    wait      ("/flows/{flow}/wait", newest_execution),
    error     ("/flows/{flow}/error"),
    directory ("/flows/{flow}/executions"),
    error     ("/flows/{flow}/executions/error"),
    object    ("/flows/{flow}/executions/{execution}", 0555),
    generated ("/flows/{flow}/executions/{execution}/status.json", show<&E::execution, execution_status>),
    control   ("/flows/{flow}/executions/{execution}/control", verbs::of_execution()),
    wait      ("/flows/{flow}/executions/{execution}/wait", itself<ObjectKind::execution>),
    error     ("/flows/{flow}/executions/{execution}/error"),
    directory ("/flows/{flow}/executions/{execution}/jobs"),
    link      ("/flows/{flow}/executions/{execution}/jobs/{job}", "/jobs/{job}", job_name, jobs_of_execution),
    link      ("/flows/{flow}/latest", "/flows/{flow}/executions/{execution}", latest<ObjectKind::execution>),

    directory ("/jobs"),
    error     ("/jobs/error"),
    object    ("/jobs/{job}", 0555),
    generated ("/jobs/{job}/status.json", show<&E::job, job_status>),
    control   ("/jobs/{job}/control", verbs::of_job()),
    wait      ("/jobs/{job}/wait", itself<ObjectKind::job>),
    error     ("/jobs/{job}/error"),
  };
  // clang-format on
  return rows;
}

}  // namespace holdfast::tree
