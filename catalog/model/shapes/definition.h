// Parts that the shapes of all kinds share, and the functions of definition_json.h that follow from a shape.
// Each kind's file defines its shape and ends with HF_DEFINITION. No other file includes this header, because
// each inclusion compiles the functions again.
#pragma once

#include "catalog/model/definition_json.h"
#include "catalog/model/json_shape.h"

namespace holdfast::json {

template <class D>
const Shape<D>& shape();

constexpr std::chrono::seconds kNoTime{0};
constexpr std::chrono::seconds kAtLeastOneSecond{1};

inline Value<std::vector<std::string>> texts() {
  return list(text_not_empty(), 0, "a list of text", std::identity{});
}

// The two fields that every kind begins with.
template <class D>
Field<D> description() {
  return field("description", &D::description, text(), "For people.");
}
template <class D>
Field<D> tags() {
  return field("tags", &D::tags, texts(), "Words to find it by.");
}

}  // namespace holdfast::json

namespace holdfast {

template <class Definition>
Result<Definition> parse_definition(std::string_view text) {
  HF_TRY(const json::Json document, json::parse_document(text));
  return json::read_object(json::shape<Definition>(), document, "");
}

template <class Definition>
std::string print_definition(const Definition& definition) {
  return json::indented(json::write_object(json::shape<Definition>(), definition));
}

template <class Definition>
const std::string& definition_schema() {
  static const std::string text = json::schema_text(json::object_schema(json::shape<Definition>()));
  return text;
}

template <class Definition>
std::string root_only_change(const Definition& before, const Definition& after) {
  return json::root_only_change(json::shape<Definition>(), before, after);
}

template <class Definition>
std::string stored_text(const Definition& definition) {
  return json::stored_text(json::shape<Definition>(), definition);
}

template <class Definition>
Result<Definition> stored_definition(std::string_view text) {
  return json::read_stored(json::shape<Definition>(), text);
}

}  // namespace holdfast

#define HF_STORED(D)                          \
  template std::string stored_text(const D&); \
  template Result<D> stored_definition(std::string_view)

#define HF_DEFINITION(D)                                 \
  HF_STORED(D);                                          \
  template Result<D> parse_definition(std::string_view); \
  template std::string print_definition(const D&);       \
  template const std::string& definition_schema<D>();    \
  template std::string root_only_change(const D&, const D&)
