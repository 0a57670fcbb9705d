#include "fsd/host_config.h"

#include <fstream>
#include <sstream>

#include "catalog/model/json_shape.h"

namespace holdfast {

Result<HostConfig> parse_host_config(std::string_view text) {
  static const json::Shape<HostConfig> shape{
      "What only the administrator of this host sets.",
      {json::field("hooks", &HostConfig::hooks, json::absolute_path(),
                   "The directory of the commands that flows may name.")},
      {}};
  HF_TRY(const json::Json document, json::parse_document(text));
  return json::read_object(shape, document, "");
}

Result<HostConfig> read_host_config(const std::string& path) {
  if (path.empty()) return HostConfig{};
  std::ifstream file(path);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return fail(ENOENT, "the configuration {} can't be read", path);
  const auto config = parse_host_config(text.str());
  if (!config) return within(config.error(), "the configuration {}", path);
  return *config;
}

}  // namespace holdfast
