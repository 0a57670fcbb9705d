#include "engine/common/known_state.h"

#include <filesystem>

#include "catalog/base/disk.h"

namespace holdfast {
namespace {

struct Beside {
  std::string parent, file;
};

Beside beside(const std::string& state) {
  std::filesystem::path path = std::filesystem::path(state).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return {path.parent_path().string(), "." + path.filename().string() + ".catalog"};
}

}  // namespace

Result<> check_state(const std::string& state) {
  const auto [parent, file] = beside(state);
  HF_TRY(const auto above, open_directory(parent));
  HF_TRY(const bool was_there, above->exists(file));
  if (!was_there) return {};
  HF_TRY(const auto directory, open_directory(state));
  HF_TRY(const bool is_there, directory->exists("catalog.sqlite"));
  if (is_there) return {};
  return fail(
      ENOMEDIUM,
      "{} has no catalog.sqlite, but had one: its file system is not mounted, or the file is gone. Mount "
      "it or put the file back; to begin anew: rm {}/{}",
      state, parent, file);
}

Result<> note_state(const std::string& state, const std::string& catalog_key) {
  const auto [parent, file] = beside(state);
  HF_TRY(const auto above, open_directory(parent));
  const auto noted = read_small_file(*above, file);
  if (noted && *noted == catalog_key + "\n") return {};
  return replace_file(*above, file, catalog_key + "\n");
}

}  // namespace holdfast
