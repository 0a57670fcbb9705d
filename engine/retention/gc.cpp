#include "engine/retention/gc.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/base/mounts.h"
#include "engine/repository/sequence.h"

namespace holdfast::retention {
namespace {

constexpr std::size_t kMostAside = 1000;
constexpr std::size_t kMostListed = 1000;

class Collecting {
 public:
  Collecting(const capture::Services& services, repository::Place& place, const Repository& repository,
             const Watch& watch, const Tell& tell)
      : services_(services), place_(place), repository_(repository), watch_(watch), tell_(tell) {}

  Result<Collection> run(GcAction action) {
    const MutexLock lock(place_.mending());  // a repair writes files that belong to nothing yet
    if (action != GcAction::list) HF_CHECK(check_may_change());
    HF_TRY(result_.found, find_strays(services_, place_, repository_.id, watch_));
    switch (action) {
      case GcAction::list: HF_CHECK(list()); break;
      case GcAction::set_aside: HF_CHECK(set_aside()); break;
      case GcAction::remove: HF_CHECK(remove()); break;
    }
    return std::move(result_);
  }

 private:
  Result<> check_may_change() const {
    if (repository_.definition.read_only)
      return fail(EROFS, "repository '{}' is read-only: nothing is moved or deleted there", repository_.name);
    HF_CHECK(place_.check());
    HF_CHECK(place_.may_write());
    return repository::check_known(services_.catalog, place_, repository_.id);
  }

  Result<> list() const {
    std::vector<std::string> lines;
    for (const Stray& stray : result_.found.all) {
      if (lines.size() == kMostListed) {
        lines.push_back(fmt::format("and {} more", result_.found.all.size() - kMostListed));
        break;
      }
      lines.push_back(fmt::format("{} {}, {} bytes: {}", to_word(stray.fate), shown_path(stray.path),
                                  stray.bytes, stray.why));
    }
    return tell_(lines);
  }

  Result<> set_aside() {
    if (!result_.found.missing.empty())
      return fail(EIO, "{} has no point {}, but the catalog lists it: nothing is set aside there",
                  place_.path(), result_.found.missing.front());
    std::size_t aside = place_.asides()->known().size();
    std::size_t left = 0;
    for (const Stray& stray : result_.found.all) {
      if (stray.fate != StrayFate::garbage) continue;
      if (aside >= kMostAside) {
        ++left;
        continue;
      }
      HF_TRY(const bool moved, set_one_aside(stray));
      aside += moved ? 1 : 0;
    }
    if (left > 0)
      result_.put_off.push_back(
          fmt::format("{} things lie aside, which is the most; {} are left: write "
                      "'gc do=delete' before the next 'gc do=aside'",
                      aside, left));
    return {};
  }

  // Returns false for what has gone, or begun to belong to something, or can't be moved.
  Result<bool> set_one_aside(const Stray& stray) {
    HF_CHECK(watch_());
    HF_CHECK(check_may_change());
    HF_TRY(const bool is_there, place_.directory().exists(stray.path));
    HF_TRY(const bool belongs, belongs_by_now(services_, repository_.id, stray.path));
    if (!is_there || belongs) return false;
    const auto to = place_.asides()->set_aside(place_.directory(), stray.path);
    if (!to) return put_off(stray, to.error());
    count(stray);
    HF_CHECK(tell_({fmt::format("set aside {}, {} bytes, as {}: {}", shown_path(stray.path), stray.bytes, *to,
                                stray.why)}));
    return true;
  }

  Result<> remove() {
    for (const Stray& stray : result_.found.all)
      if (stray.fate == StrayFate::aside) HF_CHECK(remove_one(stray));
    return place_.asides()->look(place_.directory());
  }

  Result<> remove_one(const Stray& stray) {
    HF_CHECK(watch_());
    HF_CHECK(check_may_change());
    HF_TRY(const bool is_mounted, has_mount_in(place_.path() + "/" + stray.path));
    if (is_mounted) {
      result_.put_off.push_back(
          fmt::format("a file system is mounted in {}: it stays until that is unmounted", stray.path));
      return {};
    }
    // The line comes first, because a killed deletion leaves nothing else that names it.
    HF_CHECK(tell_({fmt::format("delete {}, {} bytes", stray.path, stray.bytes)}));
    if (const auto gone = remove_tree(place_.directory(), stray.path); !gone) {
      HF_CHECK(put_off(stray, gone.error()));
      return {};
    }
    const auto slash = stray.path.rfind('/');
    HF_CHECK(place_.directory().sync(slash == std::string::npos ? "." : stray.path.substr(0, slash)));
    count(stray);
    return {};
  }

  Result<bool> put_off(const Stray& stray, const Error& error) {
    HF_CHECK(place_.check());
    result_.put_off.push_back(fmt::format("{} stays: {}", shown_path(stray.path), error.message));
    return false;
  }

  void count(const Stray& stray) {
    ++result_.done;
    result_.bytes_done += stray.bytes;
  }

  const capture::Services& services_;
  repository::Place& place_;
  const Repository& repository_;
  const Watch& watch_;
  const Tell& tell_;
  Collection result_;
};

}  // namespace

Result<Collection> collect(const capture::Services& services, repository::Place& place,
                           const Repository& repository, GcAction action, const Watch& watch,
                           const Tell& tell) {
  return Collecting(services, place, repository, watch, tell).run(action);
}

}  // namespace holdfast::retention
