#include "catalog/base/mounts.h"

#include <mntent.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>

namespace holdfast {

Result<bool> has_mount_in(const std::string& path) {
  std::error_code problem;
  const std::filesystem::path given(path);
  const auto folder = std::filesystem::canonical(given.parent_path(), problem);
  if (problem) return fail(problem.value(), "looking for mounts in {}: {}", path, problem.message());
  const std::string real = (folder / given.filename()).string();

  const std::unique_ptr<FILE, int (*)(FILE*)> mounts(::setmntent("/proc/self/mounts", "re"), ::endmntent);
  if (!mounts) return fail_errno("opening /proc/self/mounts");
  constexpr std::size_t kLongestLine = 64 * 1024;
  const auto line = std::make_unique<std::array<char, kLongestLine>>();
  mntent entry{};
  while (::getmntent_r(mounts.get(), &entry, line->data(), static_cast<int>(line->size())) != nullptr) {
    const std::string_view at = entry.mnt_dir;
    if (at == real || at.starts_with(real + "/")) return true;
  }
  return false;
}

}  // namespace holdfast
