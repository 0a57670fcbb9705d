#include "engine/repository/aside.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "catalog/base/text.h"
#include "catalog/model/json_text.h"
#include "catalog/model/outside_json.h"

namespace holdfast::repository {
namespace {

constexpr char kAsides[] = "aside.json";
constexpr char kEnding[] = ".aside";

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
    const std::string path = member_of(each, "directory");
    const auto since = parse_iso_time(member_of(each, "since"));
    if (!may_lie_aside(path) || !since) continue;
    HF_TRY(const bool is_there, repository.exists(path));
    if (is_there) found.push_back({path, *since});
  }
  return found;
}

struct Split {
  std::string folder, name;  // "KEY/" and "TIME"
};
Split split(std::string_view path) {
  const auto slash = path.rfind('/');
  const std::size_t begin = slash == path.npos ? 0 : slash + 1;
  return {std::string{path.substr(0, begin)}, std::string{path.substr(begin)}};
}

// Returns the path without ".aside". A name that is none of Holdfast's may be no text at all, or too long.
std::string stem_of(const std::string& path) {
  constexpr std::size_t kLongest = 120;
  const auto [folder, name] = split(path);
  const bool is_plain = check_name(name) && name.size() <= kLongest;
  return folder + (folder.empty() ? "." : "") + (is_plain ? name : "unnamed");
}

// Another entry of the same name may lie aside already, if the clock was set back.
Result<std::string> free_path(const Directory& repository, const std::string& stem) {
  std::string path = stem + kEnding;
  for (int number = 2;; ++number) {
    HF_TRY(const bool is_taken, repository.exists(path));
    if (!is_taken) return path;
    path = fmt::format("{}-{}{}", stem, number, kEnding);
  }
}

}  // namespace

bool may_lie_aside(std::string_view path) {
  constexpr std::ptrdiff_t kDeepest = 2;  // slashes of "KEY/TIME/FILE"
  if (!path.ends_with(kEnding) || std::ranges::count(path, '/') > kDeepest) return false;
  return path.find('/') == path.npos ? path.starts_with('.') : path.find("../") == path.npos;
}

Aside seen(Aside aside, bool by_root) {
  if (!by_root) aside.path.replace(0, aside.path.find('/'), "…");
  return aside;
}

std::string sentence_of(const Aside& aside) {
  return fmt::format(
      "{} was set aside, because this catalog does not know what it belongs to; Holdfast does not use it, "
      "and a "
      "person deletes it",
      aside.path);
}

Result<std::string> Asides::set_aside(Directory& repository, const std::string& path) {
  const MutexLock lock(writing_);
  HF_TRY(auto asides, list_asides(repository));
  std::string to = path;
  if (!may_lie_aside(path)) {
    HF_TRY(to, free_path(repository, stem_of(path)));
  }
  asides.push_back({to, system_clock().now()});
  auto list = nlohmann::ordered_json::array();
  for (const Aside& each : asides)
    list.push_back({{"directory", each.path}, {"since", iso_time(each.since)}});
  HF_CHECK(replace_file(repository, kAsides, json::indented(list)));
  if (to != path) HF_CHECK(repository.rename(path, to));
  const std::string folder = split(path).folder;
  HF_CHECK(repository.sync(folder.empty() ? "." : folder));
  learn(std::move(asides));
  return to;
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
