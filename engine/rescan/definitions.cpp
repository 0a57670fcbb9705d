#include "engine/rescan/definitions.h"

#include <algorithm>
#include <limits>

#include "catalog/base/text.h"
#include "catalog/model/json_text.h"
#include "catalog/model/members.h"
#include "catalog/model/outside_json.h"
#include "catalog/stores/collections.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/groups.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/policies.h"
#include "catalog/stores/recovered.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/retention.h"
#include "catalog/stores/schedules.h"
#include "catalog/stores/settings_store.h"
#include "engine/repository/definitions.h"
#include "engine/sources/machine_json.h"

namespace holdfast::rescan {
namespace {

using nlohmann::json;

Result<Ownership> owner_in(const json& entry) {
  holdfast::json::Members members(entry, "owner");
  Ownership owner;
  const std::uint64_t uid = members.number("uid"), gid = members.number("gid");
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  if (uid > kMost || gid > kMost) return fail(EPROTO, "\"uid\" and \"gid\" should be below 2^32");
  owner.uid = static_cast<std::uint32_t>(uid);
  owner.gid = static_cast<std::uint32_t>(gid);
  const std::string mode = members.text("mode");
  HF_CHECK(members.check());
  char* end = nullptr;
  owner.mode = static_cast<std::uint32_t>(std::strtoul(mode.c_str(), &end, 8));
  if (mode.empty() || *end != '\0' || owner.mode > 07777)
    return fail(EPROTO, "\"mode\" should be octal digits, such as 0750");
  return owner;
}

Result<> read_collections(const json& document, FoundDefinition& found) {
  const auto owners = document.find("owners");
  if (owners == document.end() || !owners->is_object()) return fail(EPROTO, "\"owners\" should be an object");
  for (const DefinitionKind kind : repository::kinds_of_objects()) {
    const auto owner = owners->find(repository::folder_of(kind));
    if (owner == owners->end()) continue;
    HF_TRY(found.collections[kind], owner_in(*owner));
  }
  return {};
}

Result<> read_members(holdfast::json::Members& document, FoundDefinition& found) {
  for (const json& entry : document.list("members")) {
    holdfast::json::Members members(entry, "a member");
    Member member;
    member.machine = members.text("machine");
    member.enabled = members.flag("enabled");
    HF_CHECK(members.check());
    found.members.push_back(std::move(member));
  }
  return {};
}

Result<> read_retirement(const json& entry, FoundDefinition& found) {
  holdfast::json::Members members(entry, "retired");
  found.retired_at = members.time("at");
  found.retired_keep = std::chrono::seconds{members.number("keep")};
  HF_CHECK(members.check());
  if (found.retired_keep <= kLongestDuration) return {};
  return fail(EPROTO, "\"keep\" should be at most {} seconds", kLongestDuration.count());
}

Result<FoundDefinition> read_definition(const Directory& directory, const std::string& file) {
  HF_TRY(const std::string text, read_small_file(directory, file));
  HF_TRY(const json document, holdfast::json::parse_outside(text));
  FoundDefinition found;
  found.file = file;
  holdfast::json::Members members(document, "the document");
  found.kind = members.word<DefinitionKind>("kind");
  HF_CHECK(members.check());
  if (found.kind == DefinitionKind::collections) {
    HF_CHECK(read_collections(document, found));
    return found;
  }
  const auto definition = document.find("definition");
  if (definition == document.end() || !definition->is_object())
    return fail(EPROTO, "\"definition\" should be an object");
  found.definition = holdfast::json::compact(*definition);
  if (found.kind == DefinitionKind::settings) return found;
  found.name = members.text("name");
  found.key = members.text_if("key");
  found.marker = members.text_if("marker");
  found.id = static_cast<Id>(members.number_if("id").value_or(0));
  HF_CHECK(read_members(members, found));
  HF_CHECK(members.check());
  HF_CHECK(check_name(found.name));
  if (!found.key.empty()) HF_CHECK(check_name(found.key));
  if (members.has("retired")) HF_CHECK(read_retirement(document["retired"], found));
  if (!members.has("owner")) return fail(EPROTO, "\"owner\" is missing");
  HF_TRY(found.owner, owner_in(document["owner"]));
  return found;
}

// Puts found definitions into the catalog.
class Adding {
 public:
  Adding(db::Connection& db, const Here& here, Time now, std::vector<Finding>& findings)
      : db_(db), here_(here), now_(now), findings_(findings) {}

  // A definition that can't be added is a finding, and the others are added all the same.
  void add(const FoundDefinition& found) {
    if (const auto done = add_one(found); !done) findings_.push_back({found.file, done.error().message});
  }

  std::vector<std::string> added() { return std::move(added_); }

 private:
  Result<> add_one(const FoundDefinition& found) {
    switch (found.kind) {
      case DefinitionKind::settings: return add_settings(found);
      case DefinitionKind::collections: return add_collections(found);
      case DefinitionKind::policy: return add_object<PolicyDefinition>(Policies(db_), found);
      case DefinitionKind::schedule: return add_object<ScheduleDefinition>(Schedules(db_), found);
      case DefinitionKind::repository: return add_repository(found);
      case DefinitionKind::machine: return add_machine(found);
      case DefinitionKind::group: return add_group(found);
      case DefinitionKind::flow: return add_flow(found);
    }
    return {};
  }

  Result<> add_settings(const FoundDefinition& found) {
    HF_TRY(const Settings known, SettingsStore(db_).get());
    HF_TRY(const auto definition, parse_definition<SettingsDefinition>(found.definition));
    if (definition == known.definition) return {};
    if (known.revision != 0) return keep_ours(found, "config.json");
    added_.push_back("config.json");
    return SettingsStore(db_).define(definition, now_);
  }

  Result<> add_collections(const FoundDefinition& found) {
    static constexpr Ownership kRoots{.uid = 0, .gid = 0, .mode = 0755};
    for (const auto& [kind, owner] : found.collections) {
      HF_TRY(const Ownership known, Collections(db_).get(kind));
      if (known == kRoots && owner != kRoots) HF_CHECK(Collections(db_).set(kind, owner, now_));
    }
    return {};
  }

  Result<> keep_ours(const FoundDefinition& found, const std::string& what) {
    findings_.push_back({found.file, what + " differs in the catalog, and stays as it is there"});
    return {};
  }

  // Adds the object without its definition; nullopt if the catalog has one of that name, which stays.
  template <class Definition, class Store>
  Result<std::optional<Id>> make(Store store, const FoundDefinition& found) {
    HF_TRY(const auto known, store.find(found.name));
    const std::string path = fmt::format("{}/{}", repository::folder_of(found.kind), found.name);
    if (!known) {
      HF_TRY(const auto object, store.add(found.name, found.owner, now_));
      added_.push_back(path);
      return object.id;
    }
    HF_TRY(const auto object, store.get(*known));
    const auto definition = parse_definition<Definition>(found.definition);
    if (!definition || object.definition != *definition) HF_CHECK(keep_ours(found, path));
    return std::nullopt;
  }

  template <class Definition, class Store>
  Result<> define(Store store, Id id, const FoundDefinition& found) {
    HF_TRY(const auto definition, parse_definition<Definition>(found.definition));
    return store.define(id, definition, now_);
  }

  template <class Definition, class Store>
  Result<> add_object(Store store, const FoundDefinition& found) {
    HF_TRY(const auto made, make<Definition>(store, found));
    return made ? define<Definition>(store, *made, found) : Result<>();
  }

  // The repository itself lies where it was found; others where their definitions say.
  Result<> add_repository(const FoundDefinition& found) {
    Repositories repositories(db_);
    if (!found.marker.empty()) {
      HF_TRY(const auto known, Recovered(db_).repository_of(found.marker));
      if (known) return {};
    }
    HF_TRY(const auto made, make<RepositoryDefinition>(repositories, found));
    if (!made) return {};
    HF_TRY(auto definition, parse_definition<RepositoryDefinition>(found.definition));
    if (found.marker == here_.marker) definition.path = here_.path;
    HF_CHECK(repositories.define(*made, definition, now_));
    return repositories.set_marker(*made, found.marker);
  }

  Result<> add_machine(const FoundDefinition& found) {
    HF_TRY(const auto known, Recovered(db_).machine_of(found.key));
    if (known) {
      HF_TRY(const Machine machine, Machines(db_).get(*known));
      const auto definition = parse_definition<MachineDefinition>(found.definition);
      const bool same = definition && machine.definition == *definition && machine.name == found.name;
      return same ? Result<>() : keep_ours(found, "machines/" + machine.name);
    }
    // Another machine may bear the name.
    FoundDefinition named = found;
    HF_TRY(const auto taken, Machines(db_).find(found.name));
    if (taken) named.name = found.key;
    HF_TRY(const auto made, make<MachineDefinition>(Machines(db_), named));
    if (!made) return {};
    HF_CHECK(Recovered(db_).set_key(*made, found.key));
    HF_CHECK(define<MachineDefinition>(Machines(db_), *made, found));
    if (!found.retired_at) return {};
    return Retention(db_).set_retirement(*made, Retention::Retired{*found.retired_at, found.retired_keep});
  }

  Result<> add_group(const FoundDefinition& found) {
    Groups groups(db_);
    HF_TRY(const auto made, make<GroupDefinition>(groups, found));
    if (!made) return {};
    HF_CHECK(define<GroupDefinition>(groups, *made, found));
    for (const Member& member : found.members) {
      HF_TRY(const Id machine, Machines(db_).resolve(member.machine));
      HF_CHECK(groups.add_member(*made, machine, now_));
      if (!member.enabled) HF_CHECK(groups.enable_member(*made, machine, false, now_));
    }
    return {};
  }

  Result<> add_flow(const FoundDefinition& found) {
    HF_TRY(auto made, make<FlowDefinition>(Flows(db_), found));
    if (!made) return {};
    if (found.id > 0) {
      HF_TRY(made, Recovered(db_).set_flow_id(*made, found.id));
    }
    return define<FlowDefinition>(Flows(db_), *made, found);
  }

  db::Connection& db_;
  const Here& here_;
  const Time now_;
  std::vector<Finding>& findings_;
  std::vector<std::string> added_;
};

// Definitions that others may name come first.
int rank(DefinitionKind kind) {
  switch (kind) {
    case DefinitionKind::settings:
    case DefinitionKind::collections:
    case DefinitionKind::policy:
    case DefinitionKind::schedule:
    case DefinitionKind::repository:
    case DefinitionKind::machine: return 0;
    case DefinitionKind::group: return 1;
    case DefinitionKind::flow: return 2;
  }
  return 0;
}

// The flow that runs before; "" if there is none.
std::string earlier_flow(const FoundDefinition& flow) {
  const auto definition = parse_definition<FlowDefinition>(flow.definition);
  return definition ? definition->after : "";
}

// Sorts so that each definition comes after those that it may name.
void sort_by_references(std::vector<FoundDefinition>& all) {
  std::ranges::stable_sort(all, {}, [](const FoundDefinition& each) { return rank(each.kind); });
  auto waiting = std::ranges::find(all, DefinitionKind::flow, &FoundDefinition::kind);
  while (waiting != all.end()) {
    const auto is_free = [&](const FoundDefinition& flow) {
      const std::string earlier = earlier_flow(flow);
      return std::none_of(waiting, all.end(),
                          [&](const FoundDefinition& each) { return each.name == earlier; });
    };
    auto free = std::find_if(waiting, all.end(), is_free);
    if (free == all.end()) return;  // a ring, which no catalog takes
    std::rotate(waiting, free, free + 1);
    ++waiting;
  }
}

}  // namespace

Result<std::vector<FoundDefinition>> read_definitions(const Directory& directory,
                                                      std::vector<Finding>& findings) {
  std::vector<FoundDefinition> all;
  const auto read = [&](const std::string& file) {
    auto found = read_definition(directory, file);
    if (found)
      all.push_back(*std::move(found));
    else
      findings.push_back({file, found.error().message});
  };
  const std::string folder = repository::kDefinitions;
  HF_TRY(const bool is_there, directory.exists(folder));
  if (!is_there) return all;
  HF_TRY(const auto entries, directory.list(folder));
  for (const auto& entry : entries) {
    const std::string path = folder + "/" + entry.name;
    if (!entry.is_directory && entry.name.ends_with(".json")) read(path);
    if (!entry.is_directory) continue;
    HF_TRY(const auto files, directory.list(path));
    for (const auto& file : files)
      if (!file.is_directory && file.name.ends_with(".json")) read(path + "/" + file.name);
  }
  return all;
}

Result<std::vector<std::string>> add_definitions(db::Connection& db, std::vector<FoundDefinition> found,
                                                 const Here& here, Time now, std::vector<Finding>& findings) {
  sort_by_references(found);
  Adding adding(db, here, now, findings);
  for (const FoundDefinition& each : found) adding.add(each);
  return adding.added();
}

}  // namespace holdfast::rescan
