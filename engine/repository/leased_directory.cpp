#include "engine/repository/leased_directory.h"

#include <utility>

namespace holdfast::repository {
namespace {

class LeasedDirectory final : public Directory {
 public:
  LeasedDirectory(Directory& directory, std::function<Result<>()> may_write)
      : directory_(directory), may_write_(std::move(may_write)) {}

  Result<std::unique_ptr<File>> open(const std::string& path, Access access) const override {
    if (access == Access::write) HF_CHECK(may_write_());
    return directory_.open(path, access);
  }
  Result<std::unique_ptr<File>> create(const std::string& path) override {
    HF_CHECK(may_write_());
    return directory_.create(path);
  }
  Result<> make_directory(const std::string& path) override {
    HF_CHECK(may_write_());
    return directory_.make_directory(path);
  }
  Result<> rename(const std::string& from, const std::string& to) override {
    HF_CHECK(may_write_());
    return directory_.rename(from, to);
  }
  Result<> remove(const std::string& path) override {
    HF_CHECK(may_write_());
    return directory_.remove(path);
  }
  Result<> sync(const std::string& path) override { return directory_.sync(path); }
  Result<std::vector<Entry>> list(const std::string& path) const override { return directory_.list(path); }
  Result<bool> exists(const std::string& path) const override { return directory_.exists(path); }
  Result<Space> space() const override { return directory_.space(); }

 private:
  Directory& directory_;
  const std::function<Result<>()> may_write_;
};

}  // namespace

std::unique_ptr<Directory> leased_directory(Directory& directory, std::function<Result<>()> may_write) {
  return std::make_unique<LeasedDirectory>(directory, std::move(may_write));
}

}  // namespace holdfast::repository
