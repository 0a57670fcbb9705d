#include "catalog/model/hidden_fields.h"

#include "catalog/model/json_shape.h"

namespace holdfast {

Result<std::string> with_hidden_fields(std::string_view written, const std::string& shown,
                                       const std::string& present) {
  if (shown == present) return std::string{written};
  HF_TRY(json::Json wanted, json::parse_document(written));
  HF_TRY(const json::Json was_shown, json::parse_document(shown));
  HF_TRY(const json::Json now, json::parse_document(present));
  for (auto& [field, value] : wanted.items())
    if (const auto it = was_shown.find(field); it != was_shown.end() && *it == value) value = now.at(field);
  return json::compact(wanted);
}

}  // namespace holdfast
