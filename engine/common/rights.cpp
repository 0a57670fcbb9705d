#include "engine/common/rights.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <array>

#include "catalog/model/rights.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/groups.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/policies.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/schedules.h"

namespace holdfast {
namespace {

struct Needed {
  std::string path;
  Ownership ownership;
};

template <class Store>
Result<Needed> needed(db::Connection& db, std::string_view folder, Id id) {
  HF_TRY(std::string name, Store(db).name_of(id));
  HF_TRY(const Ownership ownership, Store(db).ownership(id));
  return Needed{fmt::format("{}/{}", folder, name), ownership};
}

// Returns the objects that the flow's runs read from and write to.
Result<std::vector<Needed>> written_by(db::Connection& db, const Flow& flow) {
  HF_TRY(const auto machines, Flows(db).machines(flow));
  std::vector<Needed> all;
  for (const Id machine : machines) {
    HF_TRY(all.emplace_back(), needed<Machines>(db, "machines", machine));
  }
  for (const auto& repository : {flow.repository_id, flow.from_repository_id}) {
    if (!repository) continue;
    HF_TRY(all.emplace_back(), needed<Repositories>(db, "repositories", *repository));
  }
  return all;
}

// Returns the objects that the flow follows.
Result<std::vector<Needed>> read_by(db::Connection& db, const Flow& flow) {
  std::vector<Needed> all;
  if (flow.group_id) {
    HF_TRY(all.emplace_back(), needed<Groups>(db, "groups", *flow.group_id));
  }
  if (flow.schedule_id) {
    HF_TRY(all.emplace_back(), needed<Schedules>(db, "schedules", *flow.schedule_id));
  }
  if (flow.policy_id) {
    HF_TRY(all.emplace_back(), needed<Policies>(db, "policies", *flow.policy_id));
  }
  if (flow.after_flow_id) {
    HF_TRY(all.emplace_back(), needed<Flows>(db, "flows", *flow.after_flow_id));
  }
  return all;
}

bool names(const std::vector<Needed>& all, const std::string& path) {
  return std::ranges::find(all, path, &Needed::path) != all.end();
}

}  // namespace

Caller as_caller(const Ownership& ownership) {
  constexpr std::uint32_t kNogroup = 65534;
  // A plain `chown alice` leaves root's group with the object, which alice is no member of.
  const bool is_roots_group = ownership.uid != 0 && ownership.gid == 0;
  Caller caller{.uid = ownership.uid, .gid = is_roots_group ? kNogroup : ownership.gid};
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(ownership.uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return caller;
  caller.gid = found->pw_gid;
  int count = 64;
  for (int tries = 0; tries < 2; ++tries) {
    caller.groups.resize(static_cast<std::size_t>(count));
    if (getgrouplist(found->pw_name, found->pw_gid, caller.groups.data(), &count) >= 0) break;
  }
  caller.groups.resize(static_cast<std::size_t>(count));
  return caller;
}

Result<> check_owner_rights(db::Connection& db, const Flow& flow) {
  if (flow.ownership.uid == 0) return {};
  const Caller owner = as_caller(flow.ownership);
  HF_TRY(const auto all, written_by(db, flow));
  for (const Needed& one : all)
    if (!may(owner, one.ownership, Right::write))
      return fail(EACCES,
                  "flow '{}' belongs to user {}, who may not write to {}; what it names must be his to use",
                  flow.name, flow.ownership.uid, one.path);
  return {};
}

Result<> check_references(db::Connection& db, const Flow& before, const Flow& after, const Caller& caller) {
  if (caller.uid != 0) {
    HF_TRY(const auto written_before, written_by(db, before));
    HF_TRY(const auto written, written_by(db, after));
    for (const Needed& one : written)
      if (!names(written_before, one.path) && !may(caller, one.ownership, Right::write))
        return fail(EACCES, "{} is not yours to use: a flow that names it wants the right to write to it",
                    one.path);
    HF_TRY(const auto read_before, read_by(db, before));
    HF_TRY(const auto read, read_by(db, after));
    for (const Needed& one : read)
      if (!names(read_before, one.path) && !may_see(caller, one.ownership))
        return fail(EACCES, "{} is not yours to use: a flow that names it wants the right to read it",
                    one.path);
  }
  return check_owner_rights(db, after);
}

}  // namespace holdfast
