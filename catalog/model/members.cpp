#include "catalog/model/members.h"

namespace holdfast::json {

const nlohmann::json* Members::find(const char* name) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

bool Members::has(const char* name) const { return find(name) != nullptr; }

void Members::refuse(const char* name, std::string_view right) {
  if (wrong_.empty()) wrong_ = fmt::format("\"{}\" should be {}", name, right);
}

std::string Members::text(const char* name) {
  const nlohmann::json* const found = find(name);
  if (found != nullptr && found->is_string()) return found->get<std::string>();
  refuse(name, "a text");
  return "";
}

std::uint64_t Members::number(const char* name) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
  const nlohmann::json* const found = find(name);
  if (found != nullptr && found->is_number_unsigned() && found->get<std::uint64_t>() <= kMost)
    return found->get<std::uint64_t>();
  refuse(name, "a whole number");
  return 0;
}

bool Members::flag(const char* name) {
  const nlohmann::json* const found = find(name);
  if (found != nullptr && found->is_boolean()) return found->get<bool>();
  if (found != nullptr) refuse(name, "true or false");
  return false;
}

Time Members::time(const char* name) {
  if (const auto parsed = parse_iso_time(text(name))) return *parsed;
  refuse(name, "a time such as 2026-11-20T02:00:00Z");
  return {};
}

const nlohmann::json& Members::list(const char* name) {
  static const nlohmann::json none = nlohmann::json::array();
  const nlohmann::json* const found = find(name);
  if (found == nullptr) return none;
  if (found->is_array()) return *found;
  refuse(name, "a list");
  return none;
}

std::string Members::text_if(const char* name) { return has(name) ? text(name) : ""; }

std::optional<std::uint64_t> Members::number_if(const char* name) {
  return has(name) ? std::optional{number(name)} : std::nullopt;
}

std::optional<Time> Members::time_if(const char* name) {
  return has(name) ? std::optional{time(name)} : std::nullopt;
}

Result<> Members::check() const {
  if (wrong_.empty()) return {};
  return fail(EPROTO, "{}: {}", what_, wrong_);
}

}  // namespace holdfast::json
