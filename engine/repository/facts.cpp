#include "engine/repository/facts.h"

#include "catalog/model/manifest_json.h"

namespace holdfast::repository {

Result<> write_facts(Directory& directory, const std::string& point, const Facts& facts) {
  const nlohmann::ordered_json document{{"verified", verification_json(facts.verified)}};
  return replace_file(directory, point + "/facts.json", document.dump(2) + "\n");
}

}  // namespace holdfast::repository
