// The words that the table is written in: one maker a kind of node, and the functions that tie a row to a
// question of the engine and a view.
#pragma once

#include "engine/sources/machine_json.h"
#include "fsd/tree/row.h"

namespace holdfast::tree {

inline Row directory(std::string_view path, std::string_view about, std::uint32_t bits = 0555) {
  return {.path = path, .about = about, .kind = NodeKind::directory, .bits = bits};
}
inline Row collection(std::string_view path, std::string_view about) {
  return {.path = path, .about = about, .kind = NodeKind::collection, .bits = 0777};
}
// Objects that users make have the bits of their owner's choice; what the daemon makes, none to write.
inline Row object(std::string_view path, std::string_view about, std::uint32_t bits = 0777) {
  return {.path = path, .about = about, .kind = NodeKind::object, .bits = bits};
}
inline Row generated(std::string_view path, std::string_view about, Show text, std::uint32_t bits = 0444) {
  return {.path = path, .about = about, .kind = NodeKind::generated, .bits = bits, .show = text};
}
inline Row drifting(std::string_view path, std::string_view about, Show text) {
  Row row = generated(path, about, text);
  row.drifts = true;
  return row;
}
inline Row personal(std::string_view path, std::string_view about, ShowTo text) {
  return {.path = path, .about = about, .kind = NodeKind::generated, .bits = 0444, .show_to = text};
}
// Of an object: who may see what it names can change without it.
inline Row personal_drifting(std::string_view path, std::string_view about, ShowTo text) {
  Row row = personal(path, about, text);
  row.drifts = true;
  return row;
}
inline Row log(std::string_view path, std::string_view about, std::uint32_t bits) {
  return {.path = path, .about = about, .kind = NodeKind::log, .bits = bits};
}
inline Row work_log(std::string_view path) {
  return {.path = path, .about = "what it told while it ran", .kind = NodeKind::work_log, .bits = 0444};
}
inline Row lines(std::string_view path, std::string_view about, NextPage next_page) {
  return {.path = path, .about = about, .kind = NodeKind::lines, .bits = 0444, .next_page = next_page};
}
inline Row config(std::string_view path, const Config& config, std::uint32_t bits = 0666) {
  return {.path = path,
          .about = "its definition: to read, and to write",
          .kind = NodeKind::config,
          .bits = bits,
          .config = config};
}
inline Row schema(std::string_view path, Show text) {
  return generated(path, "what config.json may say, as JSON Schema", text);
}
inline Row control(std::string_view path, std::span<const verbs::Verb> verbs, std::uint32_t bits = 0666) {
  return {.path = path,
          .about = "takes a command a write; reading lists them",
          .kind = NodeKind::control,
          .bits = bits,
          .verbs = verbs};
}
inline Row error(std::string_view path) {
  return {.path = path,
          .about = "why your last operation here was refused",
          .kind = NodeKind::error,
          .bits = 0444};
}
inline Row wait(std::string_view path, Result<Subject> (*subject)(Engine&, Id)) {
  return {.path = path,
          .about = "answers with the final status once there is one",
          .kind = NodeKind::wait,
          .bits = 0444,
          .subject = subject};
}
inline Row image(std::string_view path, std::string_view about, ImageForm form, Members members = nullptr) {
  return {
      .path = path, .about = about, .kind = NodeKind::image, .bits = 0440, .members = members, .form = form};
}
inline Row link(std::string_view path, std::string_view about, std::string_view to, Show to_name,
                Members members = nullptr) {
  return {.path = path,
          .about = about,
          .kind = NodeKind::link,
          .bits = 0777,
          .to = to,
          .to_name = to_name,
          .members = members};
}
inline Row scratch(std::string_view path) { return {.path = path, .kind = NodeKind::scratch, .bits = 0666}; }

// Names that no listing has.
inline Row unlisted(Row row, Resolve resolve) {
  row.resolve = resolve;
  return row;
}
inline Row attachable(Row row, const Attachment& attachment) {
  row.attachment = attachment;
  return row;
}
inline Row removable(Row row) {
  row.removable = true;
  return row;
}
inline Row difference(std::string_view path, std::string_view about, Resolve resolve) {
  return {.path = path, .about = about, .kind = NodeKind::difference, .bits = 0440, .resolve = resolve};
}

// Text that is the same for all.
template <auto Text>
Result<std::string> fixed_text(Engine&, const Place&) {
  return Text();
}

// A view of what the engine answers about the object.
template <auto Question, auto View>
Result<std::string> show(Engine& engine, const Place& place) {
  HF_TRY(const auto answer, (engine.status().*Question)(place.object));
  return View(answer);
}
// The same, of what the reader may see.
template <auto Question, auto View>
Result<std::string> show_his(Engine& engine, const Place&, const Asker& reader) {
  HF_TRY(const auto answer, (engine.status().*Question)(reader));
  return View(answer);
}
Result<std::string> show_disk(Engine& engine, const Place& place);
Result<std::string> show_restore(Engine& engine, const Place& place);

template <ObjectKind kind>
Result<std::string> latest(Engine& engine, const Place& place) {
  HF_TRY(const Named newest, engine.objects().latest(kind, place.object));
  return newest.name;
}
Result<std::string> job_name(Engine& engine, const Place& place);
Result<std::vector<Named>> jobs_of_execution(Engine& engine, const Place& directory);
Result<std::vector<Named>> disks_with_a_flat_image(Engine& engine, const Place& directory);

// points.cpp: points by time, by their order in a chain, by what made them.
Result<Meaning> point_at(Engine& engine, const Place& directory, std::string_view when, Time now);
Result<Meaning> two_points(Engine& engine, const Place& directory, std::string_view names, Time now);
Result<Meaning> moment(Engine& engine, const Place& directory, std::string_view when, Time now);
Result<std::vector<Named>> points_at_moment(Engine& engine, const Place& directory);
Result<std::vector<Named>> points_of_execution(Engine& engine, const Place& directory);
Result<std::vector<Named>> points_in_order(Engine& engine, const Place& directory);
Result<std::string> point_name(Engine& engine, const Place& place);
Result<std::string> machine_and_point(Engine& engine, const Place& place);
Result<std::vector<Named>> members_of_group(Engine& engine, const Place& directory);
Result<std::string> machine_name(Engine& engine, const Place& place);

// pages.cpp: everything of a kind.
Result<Page> machine_lines(Engine& engine, Id after, const Asker& reader);
Result<Page> flow_lines(Engine& engine, Id after, const Asker& reader);
Result<Page> point_lines(Engine& engine, Id after, const Asker& reader);

// Of the flows that the reader may see.
Result<std::string> show_schedule(Engine& engine, const Place& place, const Asker& reader);
Result<std::string> schedule_history(Engine& engine, const Place& place, const Asker& reader);
// README.txt, made from the table.
Result<std::string> guide(Engine& engine, const Place& place);

template <ObjectKind kind>
Result<Subject> itself(Engine&, Id object) {
  return Subject{kind, object};
}
Result<Subject> newest_execution(Engine& engine, Id flow);

// The config.json of a kind. Law 19: who isn't root changes nothing that names the host.
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
