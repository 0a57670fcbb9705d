#include "engine/rescan/rescan.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "catalog/base/text.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/recovered.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/retention.h"
#include "engine/common/audit.h"
#include "engine/repository/definitions.h"
#include "engine/repository/sequence.h"
#include "engine/rescan/definitions.h"
#include "engine/rescan/documents.h"
#include "engine/rescan/join.h"

namespace holdfast::rescan {
namespace {

class Rescan {
 public:
  Rescan(Catalog& catalog, const repository::Place& place, Time now, const std::optional<Caller>& caller,
         const Watch& watch, Write write)
      : catalog_(catalog), place_(place), now_(now), caller_(caller), watch_(watch), write_(write) {}

  Result<Report> run() {
    HF_CHECK(add_objects());
    report_.repository = repository_.name;
    const auto is_known = repository::check_known(catalog_, place_, repository_.id);
    lacks_commits_ = !is_known && (is_known.error().code == EROFS || is_known.error().code == ESTALE);
    HF_TRY(const auto entries, place_.directory().list("."));
    std::set<std::string> names;
    for (const auto& entry : entries) {
      names.insert(entry.name);
      if (entry.is_directory && entry.name != repository::kDefinitions && check_name(entry.name))
        HF_CHECK(add_machine(entry.name));
    }
    if (lacks_commits_) HF_CHECK(let_go_of_machines_but(names));
    HF_CHECK(conclude());
    return std::move(report_);
  }

 private:
  bool writes() const { return write_ == Write::count && !repository_.definition.read_only; }

  Result<> add_objects() {
    HF_TRY(const auto found, read_definitions(place_.directory(), report_.findings));
    const auto may_write = place_.may_write();
    const Here here{place_.marker(), place_.path()};
    return catalog_.write([&](db::Connection& db) -> Result<> {
      HF_TRY(report_.objects, add_definitions(db, found, here, now_, report_.findings));
      // A catalog that gets flows may begin again beside the one that ran them.
      const bool has_flows =
          std::ranges::any_of(report_.objects, [](const auto& path) { return path.starts_with("flows/"); });
      if (has_flows) HF_CHECK(set_recovered_at(db, now_));
      HF_CHECK(find_repository(db));
      return writes() ? may_write : Result<>();
    });
  }

  Result<> find_repository(db::Connection& db) {
    Repositories repositories(db);
    HF_TRY(auto known, Recovered(db).repository_of(place_.marker()));
    if (!known) {
      HF_TRY(known, make_repository(db));
    }
    HF_TRY(repository_, repositories.get(*known));
    if (repository_.definition.path == place_.path()) return {};
    repository_.definition.path = place_.path();
    HF_CHECK(repositories.define(*known, repository_.definition, now_));
    return repositories.set_marker(*known, place_.marker());
  }

  // Makes a repository whose definition is gone: under the name of its directory.
  Result<Id> make_repository(db::Connection& db) {
    Repositories repositories(db);
    std::string name = std::filesystem::path(place_.path()).filename().string();
    HF_TRY(const auto taken, repositories.find(name));
    if (taken || !check_name(name)) name = "repository-" + place_.marker();
    HF_TRY(const Repository made, repositories.add(name, {}, now_));
    HF_CHECK(repositories.define(made.id, {.path = place_.path()}, now_));
    HF_CHECK(repositories.set_marker(made.id, place_.marker()));
    report_.objects.push_back("repositories/" + name);
    return made.id;
  }

  Result<> add_machine(const std::string& key) {
    HF_TRY(const auto entries, place_.directory().list(key));
    std::vector<FoundPoint> found;
    std::set<std::string> directories;
    for (const auto& entry : entries) {
      if (!entry.is_directory || entry.name.ends_with(".partial") || entry.name.ends_with(".aside")) continue;
      HF_CHECK(watch_());
      directories.insert(entry.name);
      auto point = read_point(place_.directory(), key, entry.name);
      if (point) {
        highest_ = std::max(highest_, point->point.sequence.value_or(0));
        found.push_back(*std::move(point));
      } else {
        report_.findings.push_back({key + "/" + entry.name, point.error().message});
      }
    }
    if (found.empty()) return {};
    return catalog_.write([&](db::Connection& db) -> Result<> {
      HF_TRY(const Id machine, machine_for(db, key, found));
      HF_TRY(const Joined joined, join(db, machine, repository_.id, std::move(found),
                                       lacks_commits_ ? std::optional{directories} : std::nullopt, now_));
      count(joined);
      return {};
    });
  }

  void count(const Joined& joined) {
    report_.points += joined.points;
    report_.copies += joined.copies;
    report_.known += joined.known;
    report_.gone += joined.gone;
    std::ranges::copy(joined.findings, std::back_inserter(report_.findings));
  }

  // Lets go of what the machines had there whose whole directory is gone.
  Result<> let_go_of_machines_but(const std::set<std::string>& keys) {
    return catalog_.write([&](db::Connection& db) -> Result<> {
      HF_TRY(const auto machines, Machines(db).list());
      for (const Named& named : machines) {
        HF_TRY(const Machine machine, Machines(db).get(named.id));
        HF_TRY(const auto layers, Retention(db).layers(machine.id, repository_.id));
        if (keys.contains(machine.key) || layers.empty()) continue;
        HF_TRY(const Joined joined, join(db, machine.id, repository_.id, {}, std::set<std::string>{}, now_));
        count(joined);
      }
      return {};
    });
  }

  // A machine whose definition is gone gets the name that its newest point knows.
  Result<Id> machine_for(db::Connection& db, const std::string& key, const std::vector<FoundPoint>& found) {
    HF_TRY(const auto known, Recovered(db).machine_of(key));
    if (known) return *known;
    const auto newest = std::ranges::max_element(found, {}, [](const auto& each) { return each.point.id; });
    HF_TRY(const auto taken, Machines(db).find(newest->machine));
    const std::string name = taken || !check_name(newest->machine) ? key : newest->machine;
    HF_TRY(const Machine made, Machines(db).add(name, {}, now_));
    HF_CHECK(Recovered(db).set_key(made.id, key));
    report_.objects.push_back("machines/" + name);
    report_.findings.push_back(
        {key, "the definition of machine '" + name + "' is not there; write its config.json"});
    return made.id;
  }

  Result<> conclude() {
    if (writes()) {
      HF_CHECK(repository::tell_lease(catalog_, place_, repository_));
      HF_CHECK(repository::adopt(catalog_, place_, repository_.id, highest_));
      if (lacks_commits_)  // the newer catalog has written there
        HF_CHECK(repository::tell_definitions(catalog_, place_, repository_.id, repository::Tell::anew));
    }
    return catalog_.write([&](db::Connection& db) -> Result<> {
      // A catalog that only reads there needs no key in the count to be without gaps.
      if (repository_.definition.read_only) HF_CHECK(Recovered(db).set_commits(repository_.id, highest_));
      Event event = make_event(now_, "repository.rescan", "repositories/" + repository_.name, caller_);
      event.owner = repository_.ownership;
      event.reason = fmt::format("{} points and {} copies added, {} files not usable", report_.points,
                                 report_.copies, report_.findings.size());
      return record(db, event);
    });
  }

  Catalog& catalog_;
  const repository::Place& place_;
  const Time now_;
  const std::optional<Caller>& caller_;
  const Watch& watch_;
  const Write write_;
  Repository repository_;
  bool lacks_commits_ = false;
  std::int64_t highest_ = 0;  // number of a commit
  Report report_;
};

}  // namespace

Result<Report> rescan(Catalog& catalog, const repository::Place& place, Time now,
                      const std::optional<Caller>& caller, const Watch& watch, Write write) {
  return Rescan(catalog, place, now, caller, watch, write).run();
}

}  // namespace holdfast::rescan
