// The verbs `verify` and `repair`, which points, machines and repositories share.
#pragma once

#include "fsd/verbs/verb.h"

namespace holdfast::verbs {

inline constexpr Argument kVerifyArguments[] = {
    {"level", Argument::Type::choice, "quick|checksums|compare"},
    {"name", Argument::Type::name, "ID"},
};

template <ObjectKind kind>
Result<> verify(Engine& engine, Id object, const Values& values, const Caller& caller) {
  VerifyRequest request;
  request.name = values.text("name");
  request.level = from_word<VerifyLevel>(values.text("level")).value_or(request.level);
  HF_CHECK(engine.requests().verify(kind, object, request, caller));
  return {};
}

template <ObjectKind kind>
constexpr Verb verify_verb(std::string_view meaning) {
  return {"verify", kVerifyArguments, meaning, verify<kind>};
}

inline constexpr Argument kRepairArguments[] = {{"name", Argument::Type::name, "ID"}};

template <ObjectKind kind>
Result<> repair(Engine& engine, Id object, const Values& values, const Caller& caller) {
  HF_CHECK(engine.requests().repair(kind, object, values.text("name"), caller));
  return {};
}

template <ObjectKind kind>
constexpr Verb repair_verb(std::string_view meaning) {
  return {"repair", kRepairArguments, meaning, repair<kind>};
}

}  // namespace holdfast::verbs
