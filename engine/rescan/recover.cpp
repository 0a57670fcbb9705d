#include "engine/rescan/recover.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "catalog/stores/definition_changes.h"
#include "engine/common/known_state.h"
#include "engine/repository/site.h"

namespace holdfast::rescan {
namespace {

constexpr char kCatalog[] = "/catalog.sqlite";

Result<std::string> absolute(const std::string& path) {
  std::error_code problem;
  const auto found = std::filesystem::canonical(path, problem);
  if (problem) return fail(problem.value(), "{}: {}", path, problem.message());
  return found.string();
}

Result<> make_state(const std::string& state) {
  std::error_code problem;
  std::filesystem::create_directories(state, problem);
  if (problem) return fail(problem.value(), "making {}: {}", state, problem.message());
  if (::chmod(state.c_str(), 0700) != 0) return fail_errno("making {} private", state);
  return {};
}

// A copy of the catalog, if there is one, in a directory of its own that goes with the object.
class Trial {
 public:
  static Result<Trial> make(const std::string& state) {
    std::string path = (std::filesystem::temp_directory_path() / "holdfast-plan-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) return fail_errno("making a directory for the plan");
    Trial trial(path);
    if (::access((state + kCatalog).c_str(), F_OK) != 0) return trial;
    HF_TRY(const auto catalog, db::Connection::open(state + kCatalog, db::Mode::read_only));
    HF_CHECK(catalog->back_up(path + kCatalog));
    return trial;
  }
  ~Trial() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Trial(Trial&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  Trial& operator=(Trial&&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit Trial(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Result<Report> plan(const std::string& repository, const std::string& state, const Caller& caller,
                    const Watch& watch) {
  HF_TRY(const Trial trial, Trial::make(state));
  HF_TRY(const auto catalog, Catalog::open(trial.path() + kCatalog));
  HF_TRY(const std::string marker, repository::Place::marker_of(repository));
  HF_TRY(const auto place, repository::Place::open(repository, marker, repository::Taking::nothing));
  return rescan(*catalog, *place, system_clock().now(), caller, watch, Write::nothing);
}

}  // namespace

Result<Report> recover(const RecoverOptions& options, const Caller& caller, const Watch& watch) {
  HF_TRY(const std::string repository, absolute(options.repository));
  HF_TRY(const std::string marker, repository::Place::marker_of(repository));
  if (options.plan) return plan(repository, options.state, caller, watch);
  HF_CHECK(make_state(options.state));
  HF_TRY(const std::string state, absolute(options.state));
  HF_CHECK(repository::prepare_site({.path = repository}, {{"the state directory", state}}));
  HF_TRY(const auto place, repository::Place::open(repository, marker));
  HF_TRY(const auto catalog, Catalog::open(state + kCatalog));
  HF_TRY(const std::string key,
         catalog->read([](db::Connection& db) { return DefinitionChanges(db).catalog_key(); }));
  HF_CHECK(note_state(state, key));
  return rescan(*catalog, *place, system_clock().now(), caller, watch, Write::count);
}

}  // namespace holdfast::rescan
