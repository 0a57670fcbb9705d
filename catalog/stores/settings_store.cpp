#include "catalog/stores/settings_store.h"

#include "catalog/model/definition_json.h"
#include "catalog/stores/definition_changes.h"
#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<Settings> read_settings(db::Statement& statement) {
  Settings settings;
  std::string definition;
  Row(statement) >> definition >> settings.revision >> settings.changed_at;
  HF_TRY(settings.definition, stored_definition<SettingsDefinition>(definition));
  return settings;
}

}  // namespace

Result<Settings> SettingsStore::get() {
  HF_TRY(auto found, db_.prepare("SELECT definition, revision, changed_at FROM settings WHERE id = 1"));
  HF_TRY(const auto settings, first_row(found, read_settings));
  return settings.value_or(Settings{});
}

Result<> SettingsStore::define(const SettingsDefinition& definition, Time now) {
  HF_TRY(auto put, db_.prepare(R"sql(
    INSERT INTO settings (id, definition, revision, changed_at) VALUES (1, :definition, :revision, :now)
    ON CONFLICT (id) DO UPDATE
    SET definition = excluded.definition, revision = excluded.revision, changed_at = excluded.changed_at)sql"));
  HF_CHECK(put.bind(":definition", stored_text(definition))
               .bind(":revision", new_id())
               .bind(":now", milliseconds(now))
               .run());
  return DefinitionChanges(db_).note(DefinitionKind::settings, to_word(DefinitionKind::settings));
}

}  // namespace holdfast
