#include "engine/objects/sight.h"

#include <algorithm>

#include "catalog/model/recipient.h"
#include "catalog/model/rights.h"
#include "catalog/stores/jobs.h"
#include "engine/objects/kinds.h"

namespace holdfast {
namespace {

constexpr std::string_view kHidden = "…";

// Returns the kind of the objects in that folder of the mount's root.
std::optional<ObjectKind> kind_in(std::string_view folder) {
  for (const Kind& kind : kinds())
    if (kind.collection == folder) return kind.kind;
  return folder == "jobs" ? std::optional{ObjectKind::job} : std::nullopt;
}

// Returns the recipient as its path, query and password are kept from the reader: "failure https://…".
std::string without_secret(const std::string& recipient) {
  const auto parsed = parse_recipient(recipient);
  if (!parsed) return std::string{kHidden};
  return fmt::format("{} {}://{}", to_word(parsed->when), parsed->url.substr(0, parsed->url.find(':')),
                     kHidden);
}

}  // namespace

bool Sight::covers(ObjectKind kind, const Ownership& ownership) {
  if (covers_everything()) return true;
  if (!may_see(reader_, ownership)) return false;
  const ObjectKind collection = kind_of(kind).reached_through;
  if (!kind_of(collection).users) return true;  // everybody may list jobs/
  const auto its = ownership_of(db_, collection, 0);
  return its && may_see(reader_, *its);
}

bool Sight::covers(ObjectKind kind, Id id) {
  if (covers_everything()) return true;
  if (kind == ObjectKind::job) {
    const auto job = Jobs(db_).get(id);
    if (!job || (job->machine_id && !covers(ObjectKind::machine, *job->machine_id))) return false;
  }
  const auto ownership = ownership_of(db_, kind, id);
  return ownership && covers(kind, *ownership);
}

bool Sight::covers(ObjectKind kind, std::string_view name) {
  if (covers_everything()) return true;
  const auto id = kind_of(kind).find(db_, 0, name);
  return id && *id && covers(kind, **id);
}

std::optional<bool> Sight::may_know(std::string_view path) {
  const std::size_t slash = path.find('/');
  const auto kind = kind_in(path.substr(0, slash));
  if (!kind) return std::nullopt;
  const auto id = kind_of(*kind).find(db_, 0, path.substr(slash + 1));
  if (!id || !*id) return std::nullopt;
  return covers(*kind, **id);
}

std::string Sight::told(std::string_view sentence, Sentence age, std::string_view given) {
  if (covers_everything()) return std::string{sentence};
  const MayKnow known = [&](const std::string& path) -> std::optional<bool> {
    if (has_name(given, path.substr(path.find('/') + 1))) return true;
    return may_know(path);
  };
  std::string told = without_names(sentence, age, known);
  if (age == Sentence::is_new) return told;
  constexpr std::string_view kOfTheHost[] = {"machines/…", "machine '…", "repositories/…", "repository '…"};
  const auto is_left_out = [&](std::string_view name) { return told.find(name) != told.npos; };
  return std::ranges::any_of(kOfTheHost, is_left_out) ? "" : told;
}

FlowDefinition Sight::shown(const Flow& flow) {
  FlowDefinition shown = flow.definition;
  if (covers_everything() || reader_.uid == flow.ownership.uid) return shown;
  const auto hide = [this](std::string& field, ObjectKind kind, const std::optional<Id>& id) {
    if (id && !covers(kind, *id)) field = kHidden;
  };
  if (flow.machine_id && !covers(ObjectKind::machine, *flow.machine_id)) shown.target = "machines/…";
  if (flow.group_id && !covers(ObjectKind::group, *flow.group_id)) shown.target = "groups/…";
  hide(shown.repository, ObjectKind::repository, flow.repository_id);
  hide(shown.from, ObjectKind::repository, flow.from_repository_id);
  hide(shown.schedule, ObjectKind::schedule, flow.schedule_id);
  hide(shown.policy, ObjectKind::policy, flow.policy_id);
  hide(shown.after, ObjectKind::flow, flow.after_flow_id);
  std::ranges::transform(shown.recipients, shown.recipients.begin(), without_secret);
  return shown;
}

void Sight::keep_seen(ObjectKind kind, std::vector<Named>& objects) {
  std::erase_if(objects, [&](const Named& one) { return !covers(kind, one.id); });
}

void Sight::keep_seen(ObjectKind kind, std::string& name) {
  if (!name.empty() && !covers(kind, name)) name.clear();
}

}  // namespace holdfast
