#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Points and copies as a repository has them, for a catalog that begins again from it. Ids that a repository
// knows stay what they were. Lives inside one transaction.
class Recovered {
 public:
  explicit Recovered(db::Connection& connection) : db_(connection) {}

  Result<std::optional<Id>> machine_of(std::string_view key);
  Result<std::optional<Id>> repository_of(std::string_view marker);
  // For an object that was just added.
  Result<> set_key(Id machine, std::string_view key);
  Result<Id> set_flow_id(Id flow, Id wanted);  // returns the id that it has now
  // Says that the catalog has all commits of the repository, up to that number.
  Result<> set_commits(Id repository, std::int64_t commits);

  // A point of the machine in whatever state.
  Result<std::optional<Id>> find(Id machine, std::string_view name);
  // Whether the point, or a copy of it in whatever state, lies in the repository.
  Result<bool> lies_in(Id point, Id repository);
  // The flow, if the catalog has it.
  Result<std::optional<Id>> known_flow(std::optional<Id> flow);
  // Whether a point of the machine is being written.
  Result<bool> is_captured(Id machine);

  // Adds a point that was committed, or has been retired since, with all its facts but pins and verdicts. Its
  // id, and its chain's, are replaced if another has them.
  Result<Point> add(Point point, const std::vector<Layer>& layers);
  Result<Id> add_chain(Chain chain);
  // Adds a copy of a point that lies elsewhere.
  Result<> add(const Copy& copy, const std::vector<Layer>& layers);
  // Stores what a layer is by now, after a newer catalog has merged it.
  Result<> set_layer(const Layer& layer, const std::string& content_sha256);
  // Retires what lies in the repository of the point: its copy there, or the point itself, whose place a copy
  // takes if it has one.
  Result<> retire(Id point, Id repository, Time now);
  // Makes the point's copy the point, as it was when both were made: `home` has its facts. The place where
  // the point is becomes a copy.
  Result<> take_home(Id point, Id copy, const Point& home, Time now);
  // Makes the copy of a retired point the point.
  Result<> take_over(Id point, Id copy, Time now);

 private:
  Result<> set_facts(const Point& point);
  Result<Id> free_id(std::string_view table, Id wanted);

  db::Connection& db_;
};

// When this catalog began again from a repository; nullopt once a person has confirmed it. Until then nothing
// starts by itself, because the catalog before it may still be in use.
Result<std::optional<Time>> recovered_at(db::Connection& db);
Result<> set_recovered_at(db::Connection& db, std::optional<Time> at);

}  // namespace holdfast
