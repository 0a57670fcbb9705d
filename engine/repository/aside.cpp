#include "engine/repository/aside.h"

#include <utility>

#include "catalog/model/json_text.h"
#include "catalog/model/outside_json.h"

namespace holdfast::repository {
namespace {

constexpr char kAsides[] = "aside.json";

std::string member_of(const nlohmann::json& entry, const char* key) {
  const bool is_text = entry.is_object() && entry.contains(key) && entry[key].is_string();
  return is_text ? entry[key].get<std::string>() : "";
}

Result<std::vector<Aside>> list_asides(const Directory& repository) {
  std::vector<Aside> found;
  const auto text = read_small_file(repository, kAsides);
  if (!text && text.error().code == ENOENT) return found;
  HF_CHECK(text);
  const auto list = json::parse_outside(*text);
  if (!list || !list->is_array())
    return fail(EIO, "{} is damaged; it should list directories: delete it", kAsides);
  for (const auto& each : *list) {
    const std::string directory = member_of(each, "directory");
    const auto since = parse_iso_time(member_of(each, "since"));
    if (directory.empty() || !since) continue;
    HF_TRY(const bool is_there, repository.exists(directory));
    if (is_there) found.push_back({directory, *since});
  }
  return found;
}

// Another directory of the same name may lie aside already, if the clock was set back.
Result<std::string> free_name(const Directory& repository, const std::string& directory) {
  std::string name = directory + ".aside";
  for (int number = 2;; ++number) {
    HF_TRY(const bool is_taken, repository.exists(name));
    if (!is_taken) return name;
    name = fmt::format("{}-{}.aside", directory, number);
  }
}

}  // namespace

Aside seen(Aside aside, bool by_root) {
  if (!by_root) aside.directory.replace(0, aside.directory.find('/'), "…");
  return aside;
}

std::string sentence_of(const Aside& aside) {
  return fmt::format(
      "{} was set aside, because this catalog does not know whether it is a point; Holdfast neither uses nor "
      "deletes it",
      aside.directory);
}

Result<> Asides::set_aside(Directory& repository, const std::string& directory) {
  const MutexLock lock(writing_);
  HF_TRY(auto asides, list_asides(repository));
  HF_TRY(const std::string name, free_name(repository, directory));
  asides.push_back({name, system_clock().now()});
  auto list = nlohmann::ordered_json::array();
  for (const Aside& each : asides)
    list.push_back({{"directory", each.directory}, {"since", iso_time(each.since)}});
  HF_CHECK(replace_file(repository, kAsides, json::indented(list)));
  HF_CHECK(repository.rename(directory, name));
  learn(std::move(asides));
  return {};
}

Result<> Asides::look(const Directory& repository) {
  HF_TRY(auto found, list_asides(repository));
  learn(std::move(found));
  return {};
}

std::vector<Aside> Asides::known() const {
  const MutexLock lock(mutex_);
  return known_;
}

void Asides::learn(std::vector<Aside> found) {
  const MutexLock lock(mutex_);
  known_ = std::move(found);
}

}  // namespace holdfast::repository
