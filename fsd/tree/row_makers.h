// The vocabulary of the table: one maker for each kind of node, and the functions that tie a row to the
// engine and to a view.
#pragma once

#include "engine/sources/machine_json.h"
#include "fsd/tree/row.h"

namespace holdfast::tree {

inline TableRow directory(std::string_view path, std::string_view about, std::uint32_t bits = 0555) {
  return {.path = path, .about = about, .kind = NodeKind::directory, .bits = bits};
}
inline TableRow collection(std::string_view path, std::string_view about) {
  return {.path = path, .about = about, .kind = NodeKind::collection, .bits = 0777};
}
// Objects of users have the bits that their owner chose. Objects of the daemon (0555) are not writable.
inline TableRow object(std::string_view path, std::string_view about, std::uint32_t bits = 0777) {
  return {.path = path, .about = about, .kind = NodeKind::object, .bits = bits};
}
inline TableRow generated(std::string_view path, std::string_view about, Show text,
                          std::uint32_t bits = 0444) {
  return {.path = path, .about = about, .kind = NodeKind::generated, .bits = bits, .show = text};
}
// A text that names objects: each reader has a text of what the reader may see.
inline TableRow generated(std::string_view path, std::string_view about, ShowTo text) {
  return {.path = path, .about = about, .kind = NodeKind::generated, .bits = 0444, .show_to = text};
}
// A file that only some objects have.
inline TableRow present_if(TableRow row, bool (*is_present)(Engine& engine, Id object)) {
  row.is_present = is_present;
  return row;
}
inline TableRow drifting(std::string_view path, std::string_view about, ShowTo text) {
  TableRow row = generated(path, about, text);
  row.drifts = true;
  return row;
}
inline TableRow log(std::string_view path, std::string_view about, std::uint32_t bits) {
  return {.path = path, .about = about, .kind = NodeKind::log, .bits = bits};
}
inline TableRow work_log(std::string_view path) {
  return {.path = path, .about = "its log", .kind = NodeKind::work_log, .bits = 0444};
}
inline TableRow lines(std::string_view path, std::string_view about, NextPage next_page) {
  return {.path = path, .about = about, .kind = NodeKind::lines, .bits = 0444, .next_page = next_page};
}
inline TableRow config(std::string_view path, const Config& config, std::uint32_t bits = 0666) {
  return {.path = path,
          .about = "its definition: read it and write it",
          .kind = NodeKind::config,
          .bits = bits,
          .config = config};
}
inline TableRow schema(std::string_view path, Show text) {
  return generated(path, "the fields of config.json, as JSON Schema", text);
}
inline TableRow control(std::string_view path, std::span<const verbs::Verb> verbs,
                        std::uint32_t bits = 0666) {
  return {.path = path,
          .about = "takes one command a write; reading lists the commands",
          .kind = NodeKind::control,
          .bits = bits,
          .verbs = verbs};
}
inline TableRow error(std::string_view path) {
  return {
      .path = path,
      .about =
          "the reason why your last operation here, or in a directory below without such a file, was refused",
      .kind = NodeKind::error,
      .bits = 0444};
}
inline TableRow wait(std::string_view path, Result<ObjectId> (*subject)(Engine&, Id)) {
  return {.path = path,
          .about = "returns the final status once the run has ended",
          .kind = NodeKind::wait,
          .bits = 0444,
          .subject = subject};
}
inline TableRow image(std::string_view path, std::string_view about, ImageForm form,
                      Members members = nullptr) {
  return {
      .path = path, .about = about, .kind = NodeKind::image, .bits = 0640, .members = members, .form = form};
}
inline TableRow link(std::string_view path, std::string_view about, std::string_view to, Show to_name,
                     Members members = nullptr) {
  return {.path = path,
          .about = about,
          .kind = NodeKind::link,
          .bits = 0777,
          .to = to,
          .to_name = to_name,
          .members = members};
}
inline TableRow scratch(std::string_view path) {
  return {.path = path, .kind = NodeKind::scratch, .bits = 0666};
}

// A row whose names are in no listing.
inline TableRow unlisted(TableRow row, Resolve resolve) {
  row.resolve = resolve;
  return row;
}
inline TableRow attachable(TableRow row, const Attachment& attachment) {
  row.attachment = attachment;
  return row;
}
inline TableRow removable(TableRow row) {
  row.removable = true;
  return row;
}
inline TableRow difference(std::string_view path, std::string_view about, Resolve resolve) {
  return {.path = path, .about = about, .kind = NodeKind::difference, .bits = 0440, .resolve = resolve};
}

// Prints a text that is the same for all objects.
template <auto Text>
Result<std::string> fixed_text(Engine&, const TreeNode&) {
  return Text();
}

// Prints the view of the engine's answer about the object to the reader.
template <auto Question, auto View>
Result<std::string> show(Engine& engine, const TreeNode& node, const Asker& reader) {
  HF_TRY(const auto answer, (engine.status().*Question)(node.object, reader));
  return View(answer);
}
// Prints the view of the engine's answer about everything.
template <auto Question, auto View>
Result<std::string> show_all(Engine& engine, const TreeNode&, const Asker& reader) {
  HF_TRY(const auto answer, (engine.status().*Question)(reader));
  return View(answer);
}
Result<std::string> show_disk(Engine& engine, const TreeNode& node, const Asker& reader);
Result<std::string> show_restore(Engine& engine, const TreeNode& node);
Result<std::string> show_screenshot(Engine& engine, const TreeNode& node);
bool has_screenshot(Engine& engine, Id point);

template <ObjectKind kind>
Result<std::string> latest(Engine& engine, const TreeNode& node) {
  HF_TRY(const Named newest, engine.objects().latest(kind, node.object));
  return newest.name;
}
Result<std::string> job_name(Engine& engine, const TreeNode& node);
Result<std::vector<Named>> jobs_of_execution(Engine& engine, const TreeNode& directory);
Result<std::vector<Named>> disks_with_a_flat_image(Engine& engine, const TreeNode& directory);

// points.cpp: points by time, by their order in a chain, by their machine.
Result<Meaning> point_at(Engine& engine, const TreeNode& directory, std::string_view when, Time now);
Result<Meaning> two_points(Engine& engine, const TreeNode& directory, std::string_view names, Time now);
Result<Meaning> moment(Engine& engine, const TreeNode& directory, std::string_view when, Time now);
Result<std::vector<Named>> points_at_moment(Engine& engine, const TreeNode& directory);
Result<std::vector<Named>> points_of_execution(Engine& engine, const TreeNode& directory);
Result<std::vector<Named>> points_in_order(Engine& engine, const TreeNode& directory);
Result<std::string> point_name(Engine& engine, const TreeNode& node);
Result<std::string> machine_and_point(Engine& engine, const TreeNode& node);
Result<std::vector<Named>> members_of_group(Engine& engine, const TreeNode& directory);
Result<std::string> machine_name(Engine& engine, const TreeNode& node);

// pages.cpp: all objects of a kind.
Result<Page> machine_lines(Engine& engine, Id after, const Asker& reader);
Result<Page> flow_lines(Engine& engine, Id after, const Asker& reader);
Result<Page> point_lines(Engine& engine, Id after, const Asker& reader);

Result<std::string> schedule_history(Engine& engine, const TreeNode& node, const Asker& reader);
// Resolves a machine's name below a policy, and prints the machine's plan by that policy.
Result<Meaning> machine_to_judge(Engine& engine, const TreeNode& directory, std::string_view name, Time now);
Result<std::string> show_preview(Engine& engine, const TreeNode& node, const Asker& reader);
// Prints README.txt from the table.
Result<std::string> guide(Engine& engine, const TreeNode& node);

template <ObjectKind kind>
Result<ObjectId> itself(Engine&, Id object) {
  return ObjectId{kind, object};
}
Result<ObjectId> newest_execution(Engine& engine, Id flow);

// The config.json of a kind of object. Only root changes fields that name something of the host (law 19).
template <class Definition>
Config config_of();
extern template Config config_of<MachineDefinition>();
extern template Config config_of<RepositoryDefinition>();
extern template Config config_of<FlowDefinition>();
extern template Config config_of<GroupDefinition>();
extern template Config config_of<ScheduleDefinition>();
extern template Config config_of<PolicyDefinition>();
extern template Config config_of<SettingsDefinition>();

}  // namespace holdfast::tree
