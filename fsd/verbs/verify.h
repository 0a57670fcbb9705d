// The verb `verify`, which points, machines and repositories share.
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

}  // namespace holdfast::verbs
