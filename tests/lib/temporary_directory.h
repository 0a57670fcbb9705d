#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace holdfast::test {

// A new directory, removed by the destructor with its content and with what was made beside it. Its path is
// short enough for sockets.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    above_ = std::filesystem::temp_directory_path() / "hf-XXXXXX";
    ::mkdtemp(above_.data());
    path_ = above_ + "/d";
    std::filesystem::create_directory(path_);
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(above_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string above_, path_;
};

}  // namespace holdfast::test
