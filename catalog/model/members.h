// The members of a JSON object that somebody else may have written: each is taken with its type, and the
// first that is absent or wrong is remembered.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "catalog/base/clock.h"
#include "catalog/base/error.h"
#include "catalog/model/enumerations.h"

namespace holdfast::json {

class Members {
 public:
  // `what` names the object in sentences. It and `object` must outlive this.
  Members(const nlohmann::json& object, std::string_view what) : object_(object), what_(what) {}

  std::string text(const char* name);
  std::uint64_t number(const char* name);
  bool flag(const char* name);
  Time time(const char* name);
  template <class E>
  E word(const char* name) {
    const std::string found = text(name);
    const auto known = from_word<E>(found);
    if (!known) refuse(name, "one of the words that this version knows");
    return known.value_or(E{});
  }
  // An array; an absent one is empty.
  const nlohmann::json& list(const char* name);

  // Members that may be absent or null.
  std::string text_if(const char* name);
  std::optional<std::uint64_t> number_if(const char* name);
  std::optional<Time> time_if(const char* name);
  template <class E>
  std::optional<E> word_if(const char* name) {
    return has(name) ? std::optional{word<E>(name)} : std::nullopt;
  }
  bool has(const char* name) const;

  // EPROTO, naming the first wrong member.
  Result<> check() const;

 private:
  const nlohmann::json* find(const char* name) const;
  void refuse(const char* name, std::string_view right);

  const nlohmann::json& object_;
  const std::string_view what_;
  std::string wrong_;
};

}  // namespace holdfast::json
