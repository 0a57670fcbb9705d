// The verb `test`, which flows and repositories share.
#pragma once

#include "fsd/verbs/verb.h"

namespace holdfast::verbs {

inline constexpr Argument kTest[] = {{"name", Argument::Type::name, "ID"}};

template <ObjectKind kind>
Result<> test(Engine& engine, Id object, const Values& values, const Caller& caller) {
  HF_CHECK(engine.requests().test(kind, object, values.text("name"), caller));
  return {};
}

}  // namespace holdfast::verbs
