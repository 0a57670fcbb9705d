#include "engine/repository/definitions.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "catalog/base/log.h"
#include "catalog/model/json_text.h"
#include "catalog/model/outside_json.h"
#include "catalog/stores/collections.h"
#include "catalog/stores/definition_changes.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/groups.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/policies.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/retention.h"
#include "catalog/stores/schedules.h"
#include "catalog/stores/settings_store.h"
#include "engine/repository/facts.h"
#include "engine/repository/renewal.h"
#include "engine/repository/sequence.h"
#include "engine/sources/machine_json.h"

namespace holdfast::repository {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kRevision[] = "definitions/revision";

// A definition's file and its content, but for the number; no content: the file is to be removed.
struct Document {
  std::string folder;
  std::string file;
  std::optional<Json> content;
};

// Documents that a repository lacks, and the revision that it has with them.
struct News {
  std::vector<Document> documents;
  std::int64_t revision = 0;
};

Json owner_of(const Ownership& ownership) {
  return {{"uid", ownership.uid}, {"gid", ownership.gid}, {"mode", fmt::format("{:04o}", ownership.mode)}};
}

// Describes the store's object of that name; nullopt if it is missing or incomplete. `add` adds fields of its
// kind.
template <class Store, class Add>
Result<std::optional<Json>> describe(Store store, const DefinitionChanges::Change& change, Add add) {
  HF_TRY(const auto id, store.find(change.name));
  if (!id) return std::nullopt;
  HF_TRY(const auto object, store.get(*id));
  if (!object.complete) return std::nullopt;
  Json document = {
      {"kind", to_word(change.kind)}, {"name", object.name}, {"owner", owner_of(object.ownership)}};
  HF_CHECK(add(document, object));
  document["definition"] = Json::parse(print_definition(object.definition));
  return document;
}

Result<std::optional<Json>> settings_document(db::Connection& db) {
  HF_TRY(const Settings settings, SettingsStore(db).get());
  return Json{{"kind", to_word(DefinitionKind::settings)},
              {"definition", Json::parse(print_definition(settings.definition))}};
}

Result<std::optional<Json>> collections_document(db::Connection& db) {
  Json owners = Json::object();
  for (const DefinitionKind kind : kinds_of_objects()) {
    HF_TRY(const Ownership owner, Collections(db).get(kind));
    owners[folder_of(kind)] = owner_of(owner);
  }
  return Json{{"kind", to_word(DefinitionKind::collections)}, {"owners", std::move(owners)}};
}

Result<std::optional<Json>> content_of(db::Connection& db, const DefinitionChanges::Change& change) {
  const auto nothing_more = [](Json&, const auto&) { return Result<>{}; };
  const auto key = [&](Json& document, const Machine& machine) -> Result<> {
    document["key"] = machine.key;
    HF_TRY(const auto retired, Retention(db).retirement(machine.id));
    if (retired) document["retired"] = {{"at", iso_time(retired->at)}, {"keep", retired->keep.count()}};
    return {};
  };
  const auto marker = [](Json& document, const Repository& repository) {
    document["marker"] = json::text_or_null(repository.marker);
    return Result<>{};
  };
  const auto id = [](Json& document, const Flow& flow) {
    document["id"] = flow.id;
    return Result<>{};
  };
  const auto members = [&](Json& document, const Group& group) -> Result<> {
    HF_TRY(const auto found, Groups(db).members(group.id));
    Json& list = document["members"] = Json::array();
    for (const Member& member : found)
      list.push_back({{"machine", member.machine}, {"enabled", member.enabled}});
    return {};
  };
  switch (change.kind) {
    case DefinitionKind::machine: return describe(Machines(db), change, key);
    case DefinitionKind::repository: return describe(Repositories(db), change, marker);
    case DefinitionKind::flow: return describe(Flows(db), change, id);
    case DefinitionKind::group: return describe(Groups(db), change, members);
    case DefinitionKind::schedule: return describe(Schedules(db), change, nothing_more);
    case DefinitionKind::policy: return describe(Policies(db), change, nothing_more);
    case DefinitionKind::settings: return settings_document(db);
    case DefinitionKind::collections: return collections_document(db);
  }
  return std::nullopt;
}

// Returns the revision of this catalog that the repository has; 0 if another catalog, or none, wrote there.
Result<std::int64_t> known_revision(const Directory& directory, const std::string& catalog_key) {
  const auto text = read_small_file(directory, kRevision);
  if (!text && text.error().code == ENOENT) return 0;
  if (!text) return tl::make_unexpected(text.error());
  const auto written = json::parse_outside(*text);
  if (!written || !written->is_object() || !written->contains("revision")) return 0;
  if (written->value("catalog", nlohmann::json()) != catalog_key) return 0;
  const nlohmann::json& revision = written->at("revision");
  return revision.is_number_integer() ? revision.get<std::int64_t>() : 0;
}

Result<News> news_since(db::Connection& db, std::int64_t revision) {
  News news{.documents = {}, .revision = revision};
  HF_TRY(const auto changes, DefinitionChanges(db).since(revision));
  for (const DefinitionChanges::Change& change : changes) {
    Document document;
    const bool is_of_an_object =
        std::ranges::find(kinds_of_objects(), change.kind) != kinds_of_objects().end();
    document.folder = is_of_an_object ? fmt::format("{}/{}", kDefinitions, folder_of(change.kind))
                                      : std::string{kDefinitions};
    document.file = fmt::format("{}/{}.json", document.folder, change.name);
    HF_TRY(document.content, content_of(db, change));
    news.documents.push_back(std::move(document));
    news.revision = change.revision;
  }
  return news;
}

Result<> put(Directory& directory, Document document, std::int64_t number) {
  if (document.folder != kDefinitions) HF_CHECK(make_if_missing(directory, document.folder));
  if (document.content) {
    (*document.content)["sequence"] = number;
    return replace_file(directory, document.file, json::indented(*document.content));
  }
  HF_TRY(const bool there, directory.exists(document.file));
  if (!there) return {};
  HF_CHECK(directory.remove(document.file));
  return directory.sync(document.folder);
}

std::string revision_text(const std::string& catalog_key, std::int64_t revision) {
  return Json{{"catalog", catalog_key}, {"revision", revision}}.dump() + "\n";
}

// The file's text; nullopt if it is missing.
Result<std::optional<std::string>> text_of(const Directory& directory, const std::string& file) {
  auto text = read_small_file(directory, file);
  if (!text && text.error().code == ENOENT) return std::nullopt;
  HF_CHECK(text);
  return std::optional{*std::move(text)};
}

// The number of the commit is the document's own, and grows with each writing.
bool is_as_written(const Document& document, const std::optional<std::string>& text) {
  if (!document.content || !text) return !document.content && !text;
  const auto found = json::parse_outside(*text);
  if (!found || !found->is_object()) return false;
  const auto number = found->find("sequence");
  if (number == found->end() || !number->is_number_unsigned()) return false;
  Json expected = *document.content;
  expected["sequence"] = number->get<std::int64_t>();
  return *text == json::indented(expected);
}

void tell(Catalog& catalog, Shelf& shelf, const Repository& repository) {
  if (!repository.complete || repository.definition.read_only) return;
  const auto place = shelf.place(repository);
  // The repository's status reports these.
  if (!place || !(*place)->may_write()) return;
  if (const auto told = tell_lease(catalog, **place, repository); !told)
    return log::warning("repository '{}' is not written to: {}", repository.name, told.error().message);
  // Law 12: nothing is overwritten while nobody knows whether the catalog is an older copy.
  if (const auto known = check_known(catalog, **place, repository.id); !known) {
    if (known.error().code != EROFS && known.error().code != ESTALE)
      log::warning(
          "repository '{}' may lack the newest definitions and facts: {}; the next change writes them",
          repository.name, known.error().message);
    return;
  }
  if (const auto told = tell_definitions(catalog, **place, repository.id); !told)
    log::warning("repository '{}' lacks the newest definitions: {}; the next change writes them",
                 repository.name, told.error().message);
  if (const auto renewed = renew_documents(catalog, (*place)->directory(), repository.id); !renewed)
    log::warning(
        "repository '{}' has INDEX.txt and RESTORE.txt of an earlier version: {}; the next change "
        "renews them",
        repository.name, renewed.error().message);
  if (const auto told = tell_untold_facts(catalog, **place, repository.id); !told)
    log::warning("repository '{}' lacks the newest facts of its points: {}; the next change writes them",
                 repository.name, told.error().message);
}

}  // namespace

std::span<const DefinitionKind> kinds_of_objects() {
  static constexpr DefinitionKind kinds[] = {DefinitionKind::machine,  DefinitionKind::repository,
                                             DefinitionKind::flow,     DefinitionKind::group,
                                             DefinitionKind::schedule, DefinitionKind::policy};
  return kinds;
}

std::string folder_of(DefinitionKind kind) {
  switch (kind) {
    case DefinitionKind::repository: return "repositories";
    case DefinitionKind::policy: return "policies";
    default: return fmt::format("{}s", to_word(kind));
  }
}

Result<> tell_definitions(Catalog& catalog, const Place& place, Id repository, Tell tell) {
  Directory& directory = place.directory();
  HF_TRY(const std::string key,
         catalog.read([](db::Connection& db) { return DefinitionChanges(db).catalog_key(); }));
  std::int64_t known = 0;
  if (tell == Tell::lacking) {
    HF_TRY(known, known_revision(directory, key));
  }
  HF_TRY(News news, catalog.read([&](db::Connection& db) { return news_since(db, known); }));
  if (news.documents.empty()) return {};
  HF_TRY(const std::int64_t number, take_number(catalog, place, repository));
  HF_CHECK(make_if_missing(directory, kDefinitions));
  for (Document& document : news.documents) HF_CHECK(put(directory, std::move(document), number));
  return replace_file(directory, kRevision, revision_text(key, news.revision));
}

Result<std::vector<std::string>> differing_definitions(Catalog& catalog, const Place& place) {
  const Directory& directory = place.directory();
  struct Whole {
    std::string key;
    News news;
  };
  HF_TRY(const Whole whole, catalog.read([&](db::Connection& db) -> Result<Whole> {
    Whole all;
    HF_TRY(all.key, DefinitionChanges(db).catalog_key());
    HF_TRY(all.news, news_since(db, 0));
    return all;
  }));
  HF_TRY(const std::int64_t known, known_revision(directory, whole.key));
  if (known != 0 && known < whole.news.revision) return std::vector<std::string>{};
  std::vector<std::string> differing;
  for (const Document& document : whole.news.documents) {
    HF_TRY(const auto text, text_of(directory, document.file));
    if (!is_as_written(document, text)) differing.push_back(document.file);
  }
  HF_TRY(const auto revision, text_of(directory, kRevision));
  if (revision != revision_text(whole.key, whole.news.revision)) differing.push_back(kRevision);
  // A change that came meanwhile may be in the files already.
  HF_TRY(const std::int64_t newest,
         catalog.read([](db::Connection& db) { return DefinitionChanges(db).newest(); }));
  return newest == whole.news.revision ? differing : std::vector<std::string>{};
}

Definitions::Definitions(Catalog& catalog, Shelf& shelf)
    : catalog_(catalog), shelf_(shelf), finder_([this] { find(); }) {}

Definitions::~Definitions() { stop(); }

void Definitions::changed() {
  {
    const MutexLock lock(mutex_);
    ++asked_;
  }
  moved_.notify_all();
}

void Definitions::settle() {
  const MutexLock lock(mutex_);
  const std::uint64_t wanted = asked_;
  const auto is_told = [&](const auto& writer) {
    return writer.second.is_gone || writer.second.told >= wanted;
  };
  while (!stopping_ && (found_ < wanted || !std::ranges::all_of(writers_, is_told))) moved_.wait(mutex_);
}

void Definitions::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  moved_.notify_all();
  if (finder_.joinable()) finder_.join();  // no writer is added from here on
  std::vector<std::thread> threads;
  {
    const MutexLock lock(mutex_);
    for (auto& [repository, writer] : writers_)
      if (writer.thread.joinable()) threads.push_back(std::move(writer.thread));
  }
  for (std::thread& thread : threads) thread.join();
}

// Gives each repository its writer.
void Definitions::find() {
  const MutexLock lock(mutex_);
  for (;;) {
    while (!stopping_ && found_ == asked_) moved_.wait(mutex_);
    if (stopping_) return;
    const std::uint64_t asked = asked_;
    Result<std::vector<Named>> repositories{};
    {
      const MutexUnlock unlocked(mutex_);
      repositories = catalog_.read([](db::Connection& db) { return Repositories(db).list(); });
    }
    if (!repositories) {
      log::warning("the definitions could not be written: {}", repositories.error().message);
      repositories.emplace();
    } else {
      for (auto& [id, writer] : writers_)
        writer.is_gone = std::ranges::find(*repositories, id, &Named::id) == repositories->end();
    }
    join_ended();
    for (const Named& repository : *repositories) {
      const auto [writer, is_new] = writers_.try_emplace(repository.id);
      if (is_new)
        writer->second.thread =
            std::thread([this, id = repository.id, &its = writer->second] { write(id, its); });
    }
    found_ = asked;
    moved_.notify_all();
  }
}

void Definitions::join_ended() {
  for (auto writer = writers_.begin(); writer != writers_.end();) {
    if (!writer->second.has_ended) {
      ++writer;
      continue;
    }
    writer->second.thread.join();  // ends at once: the writer needs the mutex no more
    writer = writers_.erase(writer);
  }
}

void Definitions::write(Id repository, Writer& writer) {
  const MutexLock lock(mutex_);
  for (;;) {
    while (!stopping_ && !writer.is_gone && writer.told == found_) moved_.wait(mutex_);
    if (stopping_ || writer.is_gone) break;
    const std::uint64_t asked = found_;
    {
      const MutexUnlock unlocked(mutex_);
      const auto found = catalog_.read([&](db::Connection& db) { return Repositories(db).get(repository); });
      if (found) tell(catalog_, shelf_, *found);  // a removed one needs nothing
    }
    writer.told = asked;
    moved_.notify_all();
  }
  writer.has_ended = true;
  moved_.notify_all();
}

}  // namespace holdfast::repository
