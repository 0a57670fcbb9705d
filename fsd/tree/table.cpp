// The tree of the mount, to be compared with the contract line by line. A new file is a row here and a
// function that the row names. No path is spelled anywhere else.
#include "fsd/tree/table.h"

#include "fsd/tree/row_makers.h"
#include "fsd/views/views.h"

namespace holdfast::tree {

std::span<const TableRow> table() {
  using namespace views;

  // clang-format off
  static const TableRow rows[] = {
    directory ("/", "", 0755),
    generated ("/README.txt", "this guide", guide, 0444),
    generated ("/status.json", "the state of everything: health, current and next runs, totals, warnings", show_all<&Status::summary, summary>),
    config    ("/config.json", config_of<SettingsDefinition>(), 0644),
    scratch   ("/{scratch}"),
    schema    ("/config.schema.json", fixed_text<definition_schema<SettingsDefinition>>),
    log       ("/events.jsonl", "all events, one JSON object a line", 0444),
    lines     ("/flows.jsonl", "all flows, one JSON object a line", flow_lines),
    lines     ("/machines.jsonl", "all machines, one JSON object a line", machine_lines),
    lines     ("/points.jsonl", "all restore points, one JSON object a line", point_lines),
    control   ("/control", verbs::of_root(), 0644),
    error     ("/error"),

    collection("/machines", "machines to back up: mkdir makes one"),
    object    ("/machines/{machine}", "a machine"),
    config    ("/machines/{machine}/config.json", config_of<MachineDefinition>()),
    scratch   ("/machines/{machine}/{scratch}"),
    schema    ("/machines/{machine}/config.schema.json", fixed_text<definition_schema<MachineDefinition>>),
    drifting  ("/machines/{machine}/status.json", "its state, points and newest good point", show<&Status::machine, machine_status>),
    control   ("/machines/{machine}/control", verbs::of_machine()),
    error     ("/machines/{machine}/error"),
    directory ("/machines/{machine}/disks", "its disks, including disks that only points have"),
    object    ("/machines/{machine}/disks/{disk}", "a disk", 0555),
    generated ("/machines/{machine}/disks/{disk}/status.json", "its capacity, and how its changes are tracked", show_disk),
    error     ("/machines/{machine}/disks/{disk}/error"),
    directory ("/machines/{machine}/points", "its restore points, named by the time of their freeze: rmdir removes one", 0755),
    removable (object("/machines/{machine}/points/{point}", "a restore point", 0555)),
    image     ("/machines/{machine}/points/{point}/{point_disk}.raw", "a disk at that time: sparse, read-only", ImageForm::raw),
    image     ("/machines/{machine}/points/{point}/{point_disk}.qcow2", "the same disk as one flat qcow2 image", ImageForm::qcow2, disks_with_a_flat_image),
    generated ("/machines/{machine}/points/{point}/manifest.json", "the point's kind, disks, pins, verdicts and copies", show<&Status::point, point_manifest>),
    generated ("/machines/{machine}/points/{point}/RESTORE.txt", "the stock commands that restore it from its repository", show_restore),
    present_if(generated("/machines/{machine}/points/{point}/screenshot.png", "the screen at the end of its last boot check, where there was one", show_screenshot, 0440), has_screenshot),
    control   ("/machines/{machine}/points/{point}/control", verbs::of_point()),
    error     ("/machines/{machine}/points/{point}/error"),
    drifting  ("/machines/{machine}/plan.json", "what retention would do now, and why each point stays or goes", show<&Status::plan, plan_json>),
    link      ("/machines/{machine}/latest", "the newest good point", "/machines/{machine}/points/{point}", latest<ObjectKind::point>),
    directory ("/machines/{machine}/at", "points by any time; no listing has these names"),
    unlisted  (link("/machines/{machine}/at/{when}", "the newest good point not later than WHEN", "/machines/{machine}/points/{point}", point_name), point_at),
    directory ("/machines/{machine}/diff", "differences between two points; no listing has these names"),
    difference("/machines/{machine}/diff/{two_points}", "the extents in which the disks of A and B differ, as JSON", two_points),
    directory ("/machines/{machine}/chains", "points by their chains"),
    object    ("/machines/{machine}/chains/{chain}", "a full point and the increments that rest on it, in order", 0555),
    generated ("/machines/{machine}/chains/{chain}/chain.json", "its points and layers", show<&Status::chain, chain_json>),
    link      ("/machines/{machine}/chains/{chain}/{point_in_order}", "the point with that number in the chain", "/machines/{machine}/points/{point}", point_name, points_in_order),
    error     ("/machines/{machine}/chains/{chain}/error"),

    collection("/groups", "machines that are backed up together"),
    object    ("/groups/{group}", "a group"),
    config    ("/groups/{group}/config.json", config_of<GroupDefinition>()),
    scratch   ("/groups/{group}/{scratch}"),
    schema    ("/groups/{group}/config.schema.json", fixed_text<definition_schema<GroupDefinition>>),
    generated ("/groups/{group}/status.json", "its members, and which of them are enabled", show<&Status::group, group_status>),
    control   ("/groups/{group}/control", verbs::of_group()),
    error     ("/groups/{group}/error"),
    directory ("/groups/{group}/members", "links to its machines: ln -s adds one, rm removes one", 0777),
    attachable(link("/groups/{group}/members/{member}", "a machine of the group", "/machines/{machine}", machine_name, members_of_group), {&Objects::add_member, &Objects::remove_member}),
    directory ("/groups/{group}/at", "points of the members by any time; no listing has these names"),
    unlisted  (object("/groups/{group}/at/{moment}", "a time", 0555), moment),
    link      ("/groups/{group}/at/{moment}/{point_of_machine}", "the newest good point of a member, not later than WHEN", "/machines/{machine}/points/{point}", machine_and_point, points_at_moment),

    collection("/schedules", "times at which flows start"),
    object    ("/schedules/{schedule}", "a schedule"),
    config    ("/schedules/{schedule}/config.json", config_of<ScheduleDefinition>()),
    scratch   ("/schedules/{schedule}/{scratch}"),
    schema    ("/schedules/{schedule}/config.schema.json", fixed_text<definition_schema<ScheduleDefinition>>),
    drifting  ("/schedules/{schedule}/status.json", "whether it is enabled, which flows follow it, its next times", show<&Status::schedule, schedule_status>),
    drifting  ("/schedules/{schedule}/history.jsonl", "the outcome of its past times, one JSON object a line", schedule_history),
    control   ("/schedules/{schedule}/control", verbs::of_schedule()),
    error     ("/schedules/{schedule}/error"),

    collection("/policies", "how long points are kept, and how runs are made"),
    object    ("/policies/{policy}", "a policy"),
    config    ("/policies/{policy}/config.json", config_of<PolicyDefinition>()),
    scratch   ("/policies/{policy}/{scratch}"),
    schema    ("/policies/{policy}/config.schema.json", fixed_text<definition_schema<PolicyDefinition>>),
    drifting  ("/policies/{policy}/status.json", "the number of its flows, and whether it removes points", show<&Status::policy, policy_status>),
    error     ("/policies/{policy}/error"),
    directory ("/policies/{policy}/preview", "plans by this policy; no listing has these names"),
    unlisted  (drifting("/policies/{policy}/preview/{machine_to_judge}", "plan.json of the machine, as if all of its flows had this policy", show_preview), machine_to_judge),

    collection("/repositories", "places where points are stored"),
    object    ("/repositories/{repository}", "a repository"),
    config    ("/repositories/{repository}/config.json", config_of<RepositoryDefinition>()),
    scratch   ("/repositories/{repository}/{scratch}"),
    schema    ("/repositories/{repository}/config.schema.json", fixed_text<definition_schema<RepositoryDefinition>>),
    drifting  ("/repositories/{repository}/status.json", "its state, space and number of points", show<&Status::repository, repository_status>),
    control   ("/repositories/{repository}/control", verbs::of_repository()),
    error     ("/repositories/{repository}/error"),

    collection("/flows", "backups: machines, and the repository that they go to"),
    object    ("/flows/{flow}", "a flow"),
    config    ("/flows/{flow}/config.json", config_of<FlowDefinition>()),
    scratch   ("/flows/{flow}/{scratch}"),
    schema    ("/flows/{flow}/config.schema.json", fixed_text<definition_schema<FlowDefinition>>),
    generated ("/flows/{flow}/status.json", "whether it runs, its next start, its last result, its totals", show<&Status::flow, flow_status>),
    control   ("/flows/{flow}/control", verbs::of_flow()),
    wait      ("/flows/{flow}/wait", newest_execution),
    error     ("/flows/{flow}/error"),
    directory ("/flows/{flow}/executions", "its executions: the newest 1,000 are listed, older ones exist by name"),
    object    ("/flows/{flow}/executions/{execution}", "an execution", 0555),
    generated ("/flows/{flow}/executions/{execution}/status.json", "its progress, or its result with the reason", show<&Status::execution, execution_status>),
    work_log  ("/flows/{flow}/executions/{execution}/log"),
    control   ("/flows/{flow}/executions/{execution}/control", verbs::of_execution()),
    wait      ("/flows/{flow}/executions/{execution}/wait", itself<ObjectKind::execution>),
    error     ("/flows/{flow}/executions/{execution}/error"),
    directory ("/flows/{flow}/executions/{execution}/jobs", "its jobs, one for each machine"),
    link      ("/flows/{flow}/executions/{execution}/jobs/{job}", "a job", "/jobs/{job}", job_name, jobs_of_execution),
    directory ("/flows/{flow}/executions/{execution}/points", "the points that it made"),
    link      ("/flows/{flow}/executions/{execution}/points/{point_of_machine}", "the point of a machine", "/machines/{machine}/points/{point}", machine_and_point, points_of_execution),
    link      ("/flows/{flow}/latest", "its newest execution", "/flows/{flow}/executions/{execution}", latest<ObjectKind::execution>),

    directory ("/jobs", "all jobs: the newest 1,000 are listed, older ones exist by name"),
    object    ("/jobs/{job}", "a job", 0555),
    generated ("/jobs/{job}/status.json", "its progress, or its result with the reason", show<&Status::job, job_status>),
    work_log  ("/jobs/{job}/log"),
    control   ("/jobs/{job}/control", verbs::of_job()),
    wait      ("/jobs/{job}/wait", itself<ObjectKind::job>),
    error     ("/jobs/{job}/error"),
  };
  // clang-format on
  return rows;
}

}  // namespace holdfast::tree
