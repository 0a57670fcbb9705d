// The words that the table is written in: one maker a kind of node, and the functions that tie a row to a
// question of the engine and a view.
#pragma once

#include "catalog/model/definition_json.h"
#include "fsd/tree/row.h"

namespace holdfast::tree {

inline Row directory(std::string_view path, std::uint32_t bits = 0555) {
  return {.path = path, .kind = NodeKind::directory, .bits = bits};
}
inline Row collection(std::string_view path) {
  return {.path = path, .kind = NodeKind::collection, .bits = 0777};
}
// Objects that users make have the bits of their owner's choice; what the daemon makes, none to write.
inline Row object(std::string_view path, std::uint32_t bits = 0777) {
  return {.path = path, .kind = NodeKind::object, .bits = bits};
}
inline Row generated(std::string_view path, Show text, std::uint32_t bits = 0444) {
  return {.path = path, .kind = NodeKind::generated, .bits = bits, .show = text};
}
inline Row personal(std::string_view path, ShowTo text) {
  return {.path = path, .kind = NodeKind::generated, .bits = 0444, .show_to = text};
}
inline Row log(std::string_view path, std::uint32_t bits) {
  return {.path = path, .kind = NodeKind::log, .bits = bits};
}
inline Row config(std::string_view path, const Config& config, std::uint32_t bits = 0666) {
  return {.path = path, .kind = NodeKind::config, .bits = bits, .config = config};
}
inline Row control(std::string_view path, std::span<const verbs::Verb> verbs, std::uint32_t bits = 0666) {
  return {.path = path, .kind = NodeKind::control, .bits = bits, .verbs = verbs};
}
inline Row error(std::string_view path) { return {.path = path, .kind = NodeKind::error, .bits = 0444}; }
inline Row wait(std::string_view path, Result<Subject> (*subject)(Engine&, Id)) {
  return {.path = path, .kind = NodeKind::wait, .bits = 0444, .subject = subject};
}
inline Row image(std::string_view path, ImageForm form, Members members = nullptr) {
  return {.path = path, .kind = NodeKind::image, .bits = 0440, .members = members, .form = form};
}
inline Row link(std::string_view path, std::string_view to, Show to_name, Members members = nullptr) {
  return {
      .path = path, .kind = NodeKind::link, .bits = 0777, .to = to, .to_name = to_name, .members = members};
}
inline Row scratch(std::string_view path) { return {.path = path, .kind = NodeKind::scratch, .bits = 0666}; }

// Text that is the same for all.
template <auto Text>
Result<std::string> fixed_text(Engine&, const Place&) {
  return Text();
}

// A view of what the engine answers about the object.
template <auto Question, auto View>
Result<std::string> show(Engine& engine, const Place& place) {
  HF_TRY(const auto answer, (engine.*Question)(place.object));
  return View(answer);
}
// The same, of what the reader may see.
template <auto Question, auto View>
Result<std::string> show_his(Engine& engine, const Asker& reader) {
  HF_TRY(const auto answer, (engine.*Question)(reader));
  return View(answer);
}
Result<std::string> show_disk(Engine& engine, const Place& place);

template <ObjectKind kind>
Result<std::string> latest(Engine& engine, const Place& place) {
  HF_TRY(const Named newest, engine.latest(kind, place.object));
  return newest.name;
}
Result<std::string> job_name(Engine& engine, const Place& place);
Result<std::vector<Named>> jobs_of_execution(Engine& engine, Id execution);
Result<std::vector<Named>> disks_with_a_flat_image(Engine& engine, Id point);

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
extern template Config config_of<SettingsDefinition>();

}  // namespace holdfast::tree
