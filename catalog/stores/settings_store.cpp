#include "catalog/stores/settings_store.h"

#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<Settings> read_settings(db::Statement& statement) {
  Settings settings;
  SettingsDefinition& definition = settings.definition;
  Row row(statement);
  row >> definition.max_concurrent_jobs >> definition.verify_reads >> definition.keep_executions >>
      definition.events_size >> definition.hook_timeout >> settings.revision >> settings.changed_at;
  return settings;
}

}  // namespace

Result<Settings> SettingsStore::get() {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT max_concurrent_jobs, verify_reads, keep_executions, events_size, hook_timeout, revision, changed_at
    FROM settings WHERE id = 1)sql"));
  HF_TRY(const auto settings, first_row(found, read_settings));
  return settings.value_or(Settings{});
}

Result<> SettingsStore::define(const SettingsDefinition& definition, Time now) {
  HF_TRY(auto put, db_.prepare(R"sql(
    INSERT INTO settings (id, max_concurrent_jobs, verify_reads, keep_executions, events_size, hook_timeout, revision,
                          changed_at)
    VALUES (1, :max_concurrent_jobs, :verify_reads, :keep_executions, :events_size, :hook_timeout, :revision, :now)
    ON CONFLICT (id)
    DO UPDATE SET max_concurrent_jobs = excluded.max_concurrent_jobs, verify_reads = excluded.verify_reads,
                  keep_executions = excluded.keep_executions, events_size = excluded.events_size,
                  hook_timeout = excluded.hook_timeout,
                  revision = excluded.revision, changed_at = excluded.changed_at)sql"));
  HF_CHECK(put.bind(":max_concurrent_jobs", definition.max_concurrent_jobs)
               .bind(":verify_reads", definition.verify_reads)
               .bind(":keep_executions", definition.keep_executions)
               .bind(":events_size", number(definition.events_size))
               .bind(":hook_timeout", number(definition.hook_timeout))
               .bind(":revision", new_id())
               .bind(":now", milliseconds(now))
               .run());
  return {};
}

}  // namespace holdfast
