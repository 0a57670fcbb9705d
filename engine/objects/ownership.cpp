// Owners of objects and who may change them (law 19); refusals for the event log (law 15).
#include <algorithm>

#include "catalog/base/log.h"
#include "catalog/stores/collections.h"
#include "engine/objects/changes.h"
#include "engine/objects/objects.h"
#include "engine/objects/sight.h"

namespace holdfast {
namespace {

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

Result<Ownership> Objects::ownership(ObjectKind kind, Id id) {
  return services_.catalog.read([&](db::Connection& db) { return ownership_of(db, kind, id); });
}

bool Objects::may_see(ObjectKind kind, Id id, const Caller& caller) {
  if (caller.uid == 0) return true;
  const auto seen = services_.catalog.read(
      [&](db::Connection& db) -> Result<bool> { return Sight(db, caller).covers(kind, id); });
  return seen && *seen;
}

std::string Objects::told(std::string_view sentence, const Caller& caller, std::string_view given) {
  if (caller.uid == 0) return std::string{sentence};
  const auto told = services_.catalog.read([&](db::Connection& db) -> Result<std::string> {
    return Sight(db, caller).told(sentence, Sentence::is_new, given);
  });
  return told ? *told : "its reason can't be told now, because the catalog can't be read";
}

Result<std::string> Objects::path(ObjectKind kind, Id id) {
  return services_.catalog.read([&](db::Connection& db) { return path_of(db, kind, id); });
}

Result<> Objects::set_ownership(ObjectKind kind, Id id, const Ownership& ownership, const Caller& caller) {
  const auto& users = kind_of(kind).users;
  if (!users) return fail(EPERM, "this is whose the object is that made it; give that one away");
  HF_CHECK(services_.catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Ownership before, ownership_of(db, kind, id));
    HF_CHECK(check_giving(before, ownership, caller));
    if (id != 0)
      HF_CHECK(users->set_ownership(db, id, ownership, services_.clock.now()));
    else
      HF_CHECK(Collections(db).set(users->definition, ownership, services_.clock.now()));
    HF_TRY(std::string path, path_of(db, kind, id));
    Event event =
        make_event(services_.clock.now(), fmt::format("{}.own", kind_of(kind).word), std::move(path), caller);
    event.reason =
        fmt::format("user {}, group {}, mode {:04o}", ownership.uid, ownership.gid, ownership.mode);
    return record(db, event);
  }));
  if (id != 0) changes_.announce(kind, id);
  return {};
}

Result<> Objects::count_change(const Caller& caller) {
  if (caller.uid == 0) return {};
  if (changes_of_users_.take(caller.uid, services_.clock.now()) == Allowances::Answer::granted) return {};
  return fail(EDQUOT, "you have made {} changes in a short time; from now on one is taken each {} s",
              kChanges.burst, kChanges.pause.count());
}

void Objects::refused(std::string_view event, std::string object, const Error& why, const Caller& caller) {
  const auto answer = refusals_.take(caller.uid, services_.clock.now());
  if (answer == Allowances::Answer::refused) return;
  Event refusal = make_event(services_.clock.now(), event, std::move(object), caller);
  refusal.result = EventResult::refused;
  refusal.reason = why.message;
  if (answer == Allowances::Answer::first_refused) {
    refusal.event = "daemon.refusals";
    refusal.object = "control";
    refusal.reason = fmt::format(
        "user {} was refused {} times in a short time; further refusals of this user are not recorded, but "
        "one a minute",
        caller.uid, kRecordedRefusals.burst);
  }
  const auto told = services_.catalog.write([&](db::Connection& db) { return record(db, refusal); });
  if (!told)
    log::error("{} of {} was refused; that can't be recorded: {}", event, refusal.object,
               told.error().message);
}

}  // namespace holdfast
