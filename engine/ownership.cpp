// Whose things are, who changes that, and who is told what was refused (laws 15 and 19).
#include <algorithm>

#include "catalog/base/log.h"
#include "catalog/stores/collections.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/groups.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/policies.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/schedules.h"
#include "engine/common/audit.h"
#include "engine/live_engine.h"

namespace holdfast {
namespace {

Result<DefinitionKind> made_by_users(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::machine: return DefinitionKind::machine;
    case ObjectKind::repository: return DefinitionKind::repository;
    case ObjectKind::flow: return DefinitionKind::flow;
    case ObjectKind::group: return DefinitionKind::group;
    case ObjectKind::schedule: return DefinitionKind::schedule;
    case ObjectKind::policy: return DefinitionKind::policy;
    default: return fail(EPERM, "this is whose the object is that made it; give that one away");
  }
}

Result<> write_row(db::Connection& db, ObjectKind kind, Id id, const Ownership& ownership, Time now) {
  switch (kind) {
    case ObjectKind::machine: return Machines(db).set_ownership(id, ownership, now);
    case ObjectKind::repository: return Repositories(db).set_ownership(id, ownership, now);
    case ObjectKind::flow: return Flows(db).set_ownership(id, ownership, now);
    case ObjectKind::group: return Groups(db).set_ownership(id, ownership, now);
    case ObjectKind::schedule: return Schedules(db).set_ownership(id, ownership, now);
    case ObjectKind::policy: return Policies(db).set_ownership(id, ownership, now);
    default: return {};  // made_by_users has refused it
  }
}

Result<> check_giving(const Ownership& now, const Ownership& wanted, const Caller& caller) {
  constexpr std::uint32_t kBits = 0777;
  if ((wanted.mode & ~kBits) != 0)
    return fail(EINVAL, "the mode {:04o} has more than the bits to read, write and search", wanted.mode);
  if (caller.uid == 0) return {};
  if (wanted.uid != now.uid) return fail(EPERM, "only root may give it to another owner");
  if (caller.uid != now.uid)
    return fail(EPERM, "only its owner, user {}, and root may change its group and its mode", now.uid);
  const bool is_in_group =
      wanted.gid == caller.gid || std::ranges::find(caller.groups, wanted.gid) != caller.groups.end();
  if (wanted.gid != now.gid && !is_in_group)
    return fail(EPERM, "you are not in group {}, and only root may give it to any", wanted.gid);
  return {};
}

}  // namespace

Result<Ownership> LiveEngine::ownership(ObjectKind kind, Id id) {
  return catalog_->read([&](db::Connection& db) { return ownership_of(db, kind, id); });
}

Result<std::string> LiveEngine::path(ObjectKind kind, Id id) {
  return catalog_->read([&](db::Connection& db) { return path_of(db, kind, id); });
}

Result<> LiveEngine::set_ownership(ObjectKind kind, Id id, const Ownership& ownership, const Caller& caller) {
  HF_TRY(const DefinitionKind made, made_by_users(kind));
  HF_CHECK(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Ownership before, ownership_of(db, kind, id));
    HF_CHECK(check_giving(before, ownership, caller));
    if (id != 0)
      HF_CHECK(write_row(db, kind, id, ownership, clock_.now()));
    else
      HF_CHECK(Collections(db).set(made, ownership, clock_.now()));
    HF_TRY(std::string path, path_of(db, kind, id));
    Event event = make_event(clock_, fmt::format("{}.own", to_word(made)), std::move(path), caller);
    event.reason =
        fmt::format("user {}, group {}, mode {:04o}", ownership.uid, ownership.gid, ownership.mode);
    return record(db, event);
  }));
  if (id != 0) announce(kind, id);
  return {};
}

void LiveEngine::refused(std::string_view event, std::string object, const Error& why, const Caller& caller) {
  Event refusal = make_event(clock_, event, std::move(object), caller);
  refusal.result = EventResult::refused;
  refusal.reason = why.message;
  const auto told = catalog_->write([&](db::Connection& db) { return record(db, refusal); });
  if (!told)
    log::error("{} of {} was refused; that can't be recorded: {}", event, refusal.object,
               told.error().message);
}

}  // namespace holdfast
