// What a config.json is refused with.
#pragma once

#include "catalog/model/definition_json.h"
#include "tests/catalog/fixture.h"

namespace holdfast {

template <class D>
std::string refusal(std::string_view text) {
  const auto parsed = parse_definition<D>(text);
  if (parsed) return "accepted";
  EXPECT_EQ(parsed.error().code, EINVAL);
  return parsed.error().message;
}

}  // namespace holdfast
