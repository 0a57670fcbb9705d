// Laws that the schema keeps by itself, whatever the program does: for each constraint, a change that breaks
// it.
#include "tests/catalog/schema_laws.h"

#include <set>

namespace holdfast::db {
namespace {

std::vector<Law> laws_of_objects() {
  std::vector<Law> laws;
  for (const auto& [table, spare] : std::vector<std::pair<std::string, std::string>>{{"machines", "101"},
                                                                                     {"repositories", "103"},
                                                                                     {"flows", "104"},
                                                                                     {"groups", "122"},
                                                                                     {"schedules", "123"},
                                                                                     {"policies", "124"}}) {
    const auto add = [&, &t = table, &id = spare](const std::string& name, const std::string& change) {
      laws.push_back({check(t, name), fmt::format("UPDATE {} SET {} WHERE id = {}", t, change, id),
                      Kind::check, "", ""});
    };
    add("mode_is_permission_bits", "mode = 4096");
    add("uid_and_gid_are_unsigned", "uid = -1");
    // A repository's definition has a path, so it is an object.
    if (table != "repositories") add("definition_is_a_json_object", "definition = '[]'");
    laws.push_back(
        {unique_column(table, "name"),
         fmt::format("UPDATE {0} SET name = (SELECT min(name) FROM {0}) WHERE id = {1}", table, spare),
         Kind::unique, "", ""});
  }
  return laws;
}

std::vector<Law> laws_of_ids_and_names() {
  std::vector<Law> laws;
  for (const auto& [table, spare] : std::vector<std::pair<std::string, std::string>>{
           {"machines", "101"},     {"disks", "102"},
           {"repositories", "103"}, {"flows", "104"},
           {"executions", "105"},   {"jobs", "106"},
           {"chains", "107"},       {"layers", "108"},
           {"points", "110"},       {"point_disks", "12"},
           {"leftovers", "16"},     {"events", "17"},
           {"groups", "122"},       {"schedules", "123"},
           {"policies", "124"},     {"schedule_occurrences", "128"},
           {"copies", "118"},       {"copy_disks", "125"},
           {"pins", "126"},         {"verdicts", "127"},
           {"log_lines", "129"}}) {
    laws.push_back({check(table, "id_is_positive"),
                    fmt::format("UPDATE {} SET id = 0 WHERE id = {}", table, spare), Kind::check, "", ""});
    static const std::set<std::string> without_names = {
        "chains", "layers",     "leftovers", "events",   "schedule_occurrences",
        "copies", "copy_disks", "pins",      "verdicts", "log_lines"};
    if (without_names.contains(table)) continue;
    laws.push_back({check(table, "name_is_a_name"),
                    fmt::format("UPDATE {} SET name = '.hidden' WHERE id = {}", table, spare), Kind::check,
                    "", ""});
  }
  return laws;
}

std::vector<Law> laws_of_checks() {
  const auto law = [](const char* table, const char* name, const char* change) {
    return Law{check(table, name), fmt::format("UPDATE {} SET {}", table, change), Kind::check, "", ""};
  };
  return {
      law("machines", "counters_are_not_negative", "points = -1 WHERE id = 101"),
      law("disks", "a_configured_disk_has_a_position", "position = NULL WHERE id = 2"),
      law("disks", "absent_text_is_null", "source_identity = ''"),
      law("disks", "capacity_is_not_negative", "capacity = -1"),
      law("repositories", "a_path_is_absolute", "definition = '{\"path\":\"srv\"}' WHERE id = 103"),
      law("repositories", "absent_text_is_null", "marker = ''"),
      law("repositories", "a_complete_repository_has_a_path", "definition = '{}' WHERE id = 103"),
      law("repositories", "counters_are_not_negative", "bytes_stored = -1"),
      law("flows", "a_complete_flow_has_target_and_repository", "machine_id = NULL WHERE id = 104"),
      law("flows", "counters_are_not_negative", "successful_executions = 1"),
      law("executions", "absent_text_is_null", "message = ''"),
      law("executions", "what_runs_has_started",
          "status = 'running', started_at = NULL, completed_at = NULL, reason = NULL WHERE id = 105"),
      law("executions", "what_has_ended_has_an_end", "completed_at = NULL WHERE id = 105"),
      law("executions", "only_what_has_ended_has_a_reason",
          "status = 'pending', completed_at = NULL WHERE id = 105"),
      law("executions", "a_caller_is_known_whole", "uid = 0 WHERE id = 105"),
      law("executions", "counters_are_not_negative", "bytes_read = -1"),
      law("jobs", "absent_text_is_null", "owner = ''"),
      law("jobs", "metadata_is_a_json_object", "metadata = '[]'"),
      law("jobs", "what_runs_has_started",
          "status = 'running', started_at = NULL, completed_at = NULL, reason = NULL WHERE id = 106"),
      law("jobs", "what_has_ended_has_an_end", "completed_at = NULL WHERE id = 106"),
      law("jobs", "only_what_has_ended_has_a_reason",
          "status = 'pending', completed_at = NULL WHERE id = 106"),
      law("jobs", "no_job_is_its_own_parent", "parent_job_id = id WHERE id = 106"),
      law("jobs", "counters_are_not_negative", "bytes_total = -1"),
      law("layers", "no_layer_rests_on_itself", "parent_layer_id = id WHERE id = 108"),
      law("layers", "file_and_image_id_are_not_empty", "file = '' WHERE id = 108"),
      law("layers", "file_bytes_are_not_negative", "file_bytes = -1"),
      law("points", "absent_text_is_null", "flow = ''"),
      law("points", "what_is_committed_has_a_chain", "chain_id = NULL WHERE id = 110"),
      law("points", "a_full_rests_on_nothing", "parent_point_id = 10 WHERE id = 110"),
      law("points", "a_full_says_why", "full_reason = NULL WHERE id = 110"),
      law("points", "no_point_rests_on_itself", "parent_point_id = id WHERE id = 11"),
      law("points", "numbers_are_not_negative", "bytes_stored = -1"),
      law("point_disks", "absent_text_is_null", "change_id = ''"),
      law("point_disks", "a_full_says_why", "full_reason = NULL WHERE id = 12"),
      law("point_disks", "numbers_are_not_negative", "bytes_used = -1"),
      law("leftovers", "name_and_driver_are_not_empty", "driver = ''"),
      law("leftovers", "absent_text_is_null", "detail = ''"),
      law("disks", "key_is_not_empty", "key = '' WHERE id = 102"),
      law("machines", "prune_due_is_a_boolean", "prune_due = 2"),
      law("flows", "a_flow_has_one_target", "group_id = 22 WHERE id = 104"),
      law("flows", "no_flow_waits_for_itself", "after_flow_id = id WHERE id = 104"),
      law("group_members", "enabled_is_a_boolean", "enabled = 2"),
      law("settings", "there_is_one_row", "id = 2"),
      law("settings", "definition_is_a_json_object", "definition = '[]'"),
      law("totals", "there_is_one_row", "id = 2"),
      law("totals", "totals_are_not_negative", "points = -1"),
      law("seen_clock", "there_is_one_row", "id = 2"),
      law("identity", "there_is_one_row", "id = 2"),
      law("identity", "key_is_not_empty", "key = ''"),
      law("definition_changes", "name_is_not_empty", "name = ''"),
      law("schedule_occurrences", "what_was_left_out_says_why", "reason = NULL WHERE id = 128"),
      law("schedule_occurrences", "only_what_started_has_an_execution", "execution_id = 5 WHERE id = 128"),
      law("points", "a_verification_has_time_and_level",
          "verified_at = 1, verified_result = 'good' WHERE id = 110"),
      law("points", "a_verification_has_time_and_result",
          "verified_at = 1, verified_level = 'quick' WHERE id = 110"),
      law("points", "cbt_reset_is_a_boolean", "cbt_reset = 2"),
      law("points", "carried_is_a_boolean", "carried = 2"),
      law("point_disks", "read_everything_is_a_boolean", "read_everything = 2"),
      law("copies", "damaged_is_a_boolean", "damaged = 2"),
      law("copies", "untold_is_a_boolean", "untold = 2"),
      law("copies", "bytes_are_not_negative", "bytes_stored = -1"),
      law("copy_disks", "absent_text_is_null", "sums_sha256 = ''"),
      law("copy_disks", "bytes_are_not_negative", "bytes_stored = -1"),
      law("pins", "a_caller_is_known_whole", "uid = 0 WHERE id = 126"),
      law("pins", "absent_text_is_null", "why = ''"),
      law("verdicts", "a_caller_is_known_whole", "uid = 0 WHERE id = 127"),
      law("verdicts", "somebody_gave_it", "given_by = ''"),
      law("verdicts", "absent_text_is_null", "text = ''"),
      law("boot_checks", "a_failure_says_why", "reason = NULL WHERE point_id = 121"),
      law("boot_checks", "absent_text_is_null", "reason = '' WHERE point_id = 121"),
      law("log_lines", "somebody_tells_it", "job_id = NULL WHERE id = 129"),
      law("log_lines", "text_is_not_empty", "text = ''"),
      law("events", "event_is_not_empty", "event = ''"),
      law("events", "absent_text_is_null", "reason = ''"),
      law("events", "a_caller_is_known_whole", "uid = 0 WHERE id = 117"),
      law("events", "owner_uid_is_unsigned", "owner_uid = -1 WHERE id = 17"),
      law("events", "owner_gid_is_unsigned", "owner_gid = -1 WHERE id = 17"),
      law("events", "owner_mode_is_permission_bits", "owner_mode = 4096 WHERE id = 17"),
      law("events", "an_owner_is_known_whole", "owner_uid = 0 WHERE id = 117"),
      law("collections", "mode_is_permission_bits", "mode = 4096"),
      law("collections", "uid_and_gid_are_unsigned", "gid = -1"),
      law("repository_sizes", "bytes_are_not_negative", "bytes_stored = -1"),
      law("layers", "sound_is_a_boolean", "sound = 2"),
      law("event_parts", "id_is_not_negative", "id = -1"),
      law("event_parts", "bytes_are_not_negative", "bytes = -1"),
  };
}

std::vector<Law> laws_of_uniqueness() {
  const auto law = [](Constraint constraint, const char* change) {
    return Law{std::move(constraint), change, Kind::unique, "", ""};
  };
  // Tables without rowid can't be without a primary key.
  Constraint members = unique_columns("group_members", "group_id, machine_id");
  members.instead = "PRIMARY KEY (group_id, machine_id, enabled)";
  Constraint collections = unique_columns("collections", "kind");
  collections.instead = "PRIMARY KEY (kind, mode)";
  Constraint changes = unique_columns("definition_changes", "kind, name");
  changes.instead = "PRIMARY KEY (kind, name, revision)";
  Constraint starts = unique_columns("chained_starts", "flow_id");
  starts.instead = "PRIMARY KEY (flow_id, added_at)";
  Constraint sizes = unique_columns("repository_sizes", "repository_id, day");
  sizes.instead = "PRIMARY KEY (repository_id, day, at)";
  Constraint digests = unique_columns("document_digests", "point_id, repository_id");
  digests.instead = "PRIMARY KEY (point_id, repository_id, manifest_sha256)";
  Constraint turns = unique_columns("verify_turns", "policy_id, repository_id");
  turns.instead = "PRIMARY KEY (policy_id, repository_id, done_until)";
  return {
      law(digests, "UPDATE document_digests SET point_id = 10 WHERE point_id = 135"),
      law(turns, "UPDATE verify_turns SET repository_id = 3 WHERE repository_id = 309"),
      law(sizes, "UPDATE repository_sizes SET day = 2 WHERE day = 1"),
      law(starts, "UPDATE chained_starts SET flow_id = 412 WHERE flow_id = 104"),
      law(collections, "INSERT INTO collections VALUES ('flow', 0, 0, 0, 0)"),
      law(unique_column("machines", "key"), "UPDATE machines SET key = 'm-1' WHERE id = 101"),
      law(unique_columns("disks", "machine_id, name"), "UPDATE disks SET name = 'disk-0' WHERE id = 102"),
      law(unique_columns("disks", "machine_id, position"), "UPDATE disks SET position = 0 WHERE id = 112"),
      law(unique_column("repositories", "path"),
          R"(UPDATE repositories SET definition = '{"path":"/srv/r"}' WHERE id = 103)"),
      law(unique_columns("executions", "flow_id, name"), "UPDATE executions SET name = 'r1' WHERE id = 15"),
      law(unique_index("executions", "flow_id", "executions_one_active_a_flow"),
          "UPDATE executions SET status = 'pending', completed_at = NULL WHERE id = 5"),
      law(unique_column("jobs", "name"), "UPDATE jobs SET name = 'j1' WHERE id = 106"),
      law(unique_columns("layers", "chain_id, file"),
          "UPDATE layers SET file = 't1/disk-0.qcow2' WHERE id = 9"),
      law(unique_columns("points", "machine_id, name"), "UPDATE points SET name = 't1' WHERE id = 11"),
      law(unique_index("points", "machine_id, repository_id", "points_one_writing_a_place"),
          "UPDATE points SET state = 'writing' WHERE id = 11"),
      law(unique_columns("point_disks", "point_id, disk_id"),
          "UPDATE point_disks SET disk_id = 2, layer_id = 8 WHERE id = 13"),
      law(unique_columns("point_disks", "point_id, name"),
          "UPDATE point_disks SET name = 'disk-0' WHERE id = 13"),
      law(unique_column("disks", "key"), "UPDATE disks SET key = 'k1' WHERE id = 102"),
      law(members, "INSERT INTO group_members VALUES (22, 1, 0)"),
      law(changes, "INSERT INTO definition_changes VALUES ('machine', 'm', 2)"),
      law(unique_index("jobs", "chain_id", "jobs_one_writer_a_chain"),
          "UPDATE jobs SET chain_id = 703 WHERE id = 601"),
      law(unique_columns("schedule_occurrences", "schedule_id, flow_id, planned_at"),
          "UPDATE schedule_occurrences SET planned_at = 1 WHERE id = 128"),
      law(unique_columns("copies", "point_id, repository_id"),
          "UPDATE copies SET point_id = 10 WHERE id = 118"),
      law(unique_columns("copy_disks", "copy_id, disk_id"),
          "UPDATE copy_disks SET disk_id = 2, layer_id = 804 WHERE id = 125"),
  };
}

// Words of an enumeration: only what its table has.
std::vector<Law> laws_of_words() {
  const auto law = [](const char* table, const char* column, int row) {
    return Law{reference(table, column),
               fmt::format("UPDATE {} SET {} = 'bogus' WHERE id = {}", table, column, row), Kind::foreign_key,
               "", ""};
  };
  return {
      law("executions", "status", 105),
      law("executions", "type", 105),
      law("executions", "reason", 105),
      law("jobs", "type", 106),
      law("jobs", "status", 106),
      law("jobs", "reason", 106),
      law("points", "state", 110),
      law("points", "kind", 11),
      law("points", "full_reason", 110),
      law("points", "consistency", 110),
      law("points", "compression", 110),
      law("point_disks", "kind", 14),
      law("point_disks", "full_reason", 12),
      law("leftovers", "kind", 16),
      law("events", "result", 17),
      law("schedule_occurrences", "status", 2801),
      law("schedule_occurrences", "reason", 128),
      law("points", "verified_level", 10),
      law("points", "verified_result", 10),
      law("copies", "state", 118),
      law("copies", "kind", 19),
      law("verdicts", "result", 27),
      Law{reference("boot_checks", "result"),
          "UPDATE boot_checks SET result = 'bogus', reason = NULL WHERE point_id = 10", Kind::foreign_key, "",
          ""},
      Law{reference("boot_checks", "accelerator"), "UPDATE boot_checks SET accelerator = 'bogus'",
          Kind::foreign_key, "", ""},
      Law{reference("collections", "kind"), "UPDATE collections SET kind = 'bogus' WHERE kind = 'flow'",
          Kind::foreign_key, "", ""},
      Law{reference("definition_changes", "kind"), "UPDATE definition_changes SET kind = 'bogus'",
          Kind::foreign_key, "", ""},
  };
}

std::vector<Law> laws_of_references() {
  const auto law = [](const char* table, const char* columns, const char* change) {
    return Law{reference(table, columns), fmt::format("UPDATE {} SET {}", table, change), Kind::foreign_key,
               "", ""};
  };
  return {
      law("disks", "machine_id", "machine_id = 999 WHERE id = 102"),
      law("flows", "machine_id", "machine_id = 999 WHERE id = 104"),
      law("flows", "repository_id", "repository_id = 999 WHERE id = 104"),
      law("executions", "flow_id", "flow_id = 999 WHERE id = 105"),
      law("jobs", "execution_id", "execution_id = 999 WHERE id = 106"),
      law("jobs", "machine_id", "machine_id = 999 WHERE id = 106"),
      law("jobs", "repository_id", "repository_id = 999 WHERE id = 106"),
      law("jobs", "parent_job_id", "parent_job_id = 999 WHERE id = 106"),
      law("jobs", "flow_id", "flow_id = 999 WHERE id = 106"),
      law("chains", "machine_id", "machine_id = 999 WHERE id = 107"),
      law("chains", "repository_id", "repository_id = 999 WHERE id = 107"),
      law("layers", "chain_id", "chain_id = 999 WHERE id = 108"),
      law("layers", "disk_id", "disk_id = 999 WHERE id = 108"),
      law("layers", "chain_id, disk_id, parent_layer_id", "parent_layer_id = 118 WHERE id = 108"),
      law("points", "machine_id", "machine_id = 999 WHERE id = 113"),
      law("points", "repository_id", "repository_id = 999 WHERE id = 113"),
      law("points", "machine_id, repository_id, chain_id", "chain_id = 701 WHERE id = 110"),
      law("points", "parent_point_id", "parent_point_id = 999 WHERE id = 11"),
      law("points", "execution_id", "execution_id = 999 WHERE id = 110"),
      law("points", "job_id", "job_id = 999 WHERE id = 110"),
      law("points", "flow_id", "flow_id = 999 WHERE id = 110"),
      law("point_disks", "point_id", "point_id = 999 WHERE id = 12"),
      law("point_disks", "disk_id, layer_id", "layer_id = 118 WHERE id = 12"),
      law("leftovers", "machine_id, point_id", "machine_id = 101 WHERE id = 16"),
      law("group_members", "group_id", "group_id = 999 WHERE machine_id = 207"),
      law("group_members", "machine_id", "machine_id = 999 WHERE machine_id = 207"),
      law("flows", "group_id", "group_id = 999 WHERE id = 404"),
      law("flows", "from_repository_id", "from_repository_id = 999 WHERE id = 404"),
      law("flows", "schedule_id", "schedule_id = 999 WHERE id = 404"),
      law("flows", "policy_id", "policy_id = 999 WHERE id = 404"),
      law("flows", "after_flow_id", "after_flow_id = 999 WHERE id = 404"),
      law("chained_starts", "flow_id", "flow_id = 999 WHERE flow_id = 412"),
      law("chained_starts", "after_flow_id", "after_flow_id = 999 WHERE flow_id = 412"),
      law("repository_sizes", "repository_id", "repository_id = 999 WHERE day = 1"),
      law("document_digests", "point_id", "point_id = 999 WHERE point_id = 135"),
      law("document_digests", "repository_id", "repository_id = 999 WHERE point_id = 135"),
      law("verify_turns", "policy_id", "policy_id = 999 WHERE policy_id = 2403"),
      law("verify_turns", "repository_id", "repository_id = 999 WHERE repository_id = 309"),
      law("jobs", "chain_id", "chain_id = 999 WHERE id = 106"),
      law("schedule_occurrences", "schedule_id", "schedule_id = 999 WHERE id = 128"),
      law("schedule_occurrences", "flow_id", "flow_id = 999 WHERE id = 128"),
      law("schedule_occurrences", "execution_id", "execution_id = 999 WHERE id = 28"),
      law("copies", "flow_id", "flow_id = 999 WHERE id = 118"),
      law("copies", "execution_id", "execution_id = 999 WHERE id = 118"),
      law("copies", "machine_id, point_id", "point_id = 113 WHERE id = 118"),
      law("copies", "machine_id, repository_id, chain_id", "chain_id = 7 WHERE id = 118"),
      law("copy_disks", "copy_id", "copy_id = 999 WHERE id = 25"),
      law("copy_disks", "disk_id, layer_id", "layer_id = 805 WHERE id = 25"),
      law("pins", "point_id", "point_id = 999 WHERE id = 26"),
      law("verdicts", "point_id", "point_id = 999 WHERE id = 27"),
      law("boot_checks", "machine_id, point_id", "machine_id = 101 WHERE point_id = 10"),
      law("log_lines", "job_id", "job_id = 999 WHERE id = 29"),
      law("log_lines", "execution_id", "execution_id = 999 WHERE id = 29"),
  };
}

std::vector<Law> laws_of_deletion() {
  const auto goes_along = [](const char* table, const char* columns, const char* deletion,
                             const char* query) {
    return Law{on_delete(table, columns, "CASCADE"), fmt::format("DELETE FROM {}", deletion), std::nullopt,
               query, "0"};
  };
  const auto becomes_null = [](const char* table, const char* column, const char* deletion, const char* row) {
    return Law{on_delete(table, column, "SET NULL"), fmt::format("DELETE FROM {}", deletion), std::nullopt,
               fmt::format("SELECT {} IS NULL FROM {} WHERE {}", column, table, row), "1"};
  };
  const auto hinders = [](const char* table, const char* columns, const char* deletion) {
    return Law{on_delete(table, columns, "RESTRICT"), fmt::format("DELETE FROM {}", deletion),
               Kind::foreign_key, "", ""};
  };
  return {
      goes_along("disks", "machine_id", "machines WHERE id = 201",
                 "SELECT count(*) FROM disks WHERE machine_id = 201"),
      goes_along("chains", "machine_id", "machines WHERE id = 205",
                 "SELECT count(*) FROM chains WHERE machine_id = 205"),
      goes_along("chains", "repository_id", "repositories WHERE id = 304",
                 "SELECT count(*) FROM chains WHERE repository_id = 304"),
      goes_along("executions", "flow_id", "flows WHERE id = 404",
                 "SELECT count(*) FROM executions WHERE flow_id = 404"),
      goes_along("jobs", "execution_id", "executions WHERE id = 502",
                 "SELECT count(*) FROM jobs WHERE id = 601"),
      goes_along("point_disks", "point_id", "points WHERE id = 115",
                 "SELECT count(*) FROM point_disks WHERE id = 1201"),
      becomes_null("jobs", "machine_id", "machines WHERE id = 204", "id = 602"),
      becomes_null("jobs", "repository_id", "repositories WHERE id = 303", "id = 603"),
      becomes_null("jobs", "parent_job_id", "jobs WHERE id = 604", "id = 605"),
      becomes_null("jobs", "flow_id", "flows WHERE id = 416", "id = 605"),
      becomes_null("points", "execution_id", "executions WHERE id = 503", "id = 111"),
      becomes_null("points", "job_id", "jobs WHERE id = 606", "id = 112"),
      becomes_null("points", "flow_id", "flows WHERE id = 414", "id = 112"),
      hinders("flows", "machine_id", "machines WHERE id = 203"),
      hinders("flows", "repository_id", "repositories WHERE id = 302"),
      hinders("layers", "chain_id", "chains WHERE id = 117"),
      hinders("layers", "disk_id", "disks WHERE id = 122"),
      hinders("layers", "chain_id, disk_id, parent_layer_id", "layers WHERE id = 802"),
      hinders("points", "machine_id", "machines WHERE id = 206"),
      hinders("points", "repository_id", "repositories WHERE id = 305"),
      hinders("points", "machine_id, repository_id, chain_id", "chains WHERE id = 127"),
      hinders("points", "parent_point_id", "points WHERE id = 117"),
      hinders("point_disks", "disk_id, layer_id", "layers WHERE id = 118"),
      hinders("leftovers", "machine_id, point_id", "points WHERE id = 116"),
      goes_along("group_members", "group_id", "groups WHERE id = 2202",
                 "SELECT count(*) FROM group_members WHERE group_id = 2202"),
      goes_along("group_members", "machine_id", "machines WHERE id = 202",
                 "SELECT count(*) FROM group_members WHERE machine_id = 202"),
      goes_along("schedule_occurrences", "schedule_id", "schedules WHERE id = 2303",
                 "SELECT count(*) FROM schedule_occurrences WHERE id = 2801"),
      goes_along("schedule_occurrences", "flow_id", "flows WHERE id = 411",
                 "SELECT count(*) FROM schedule_occurrences WHERE id = 2802"),
      goes_along("chained_starts", "flow_id", "flows WHERE id = 412",
                 "SELECT count(*) FROM chained_starts WHERE flow_id = 412"),
      goes_along("chained_starts", "after_flow_id", "flows WHERE id = 413",
                 "SELECT count(*) FROM chained_starts WHERE after_flow_id = 413"),
      goes_along("repository_sizes", "repository_id", "repositories WHERE id = 307",
                 "SELECT count(*) FROM repository_sizes WHERE repository_id = 307"),
      goes_along("document_digests", "point_id", "points WHERE id = 135",
                 "SELECT count(*) FROM document_digests WHERE point_id = 135"),
      goes_along("document_digests", "repository_id", "repositories WHERE id = 308",
                 "SELECT count(*) FROM document_digests WHERE repository_id = 308"),
      goes_along("verify_turns", "policy_id", "policies WHERE id = 2403",
                 "SELECT count(*) FROM verify_turns WHERE policy_id = 2403"),
      goes_along("verify_turns", "repository_id", "repositories WHERE id = 309",
                 "SELECT count(*) FROM verify_turns WHERE repository_id = 309"),
      goes_along("copy_disks", "copy_id", "copies WHERE id = 118",
                 "SELECT count(*) FROM copy_disks WHERE id = 2501"),
      goes_along("log_lines", "job_id", "jobs WHERE id = 620",
                 "SELECT count(*) FROM log_lines WHERE id = 2901"),
      goes_along("log_lines", "execution_id", "executions WHERE id = 520",
                 "SELECT count(*) FROM log_lines WHERE id = 2902"),
      goes_along("verdicts", "point_id", "points WHERE id = 121",
                 "SELECT count(*) FROM verdicts WHERE id = 127"),
      goes_along("boot_checks", "machine_id, point_id", "points WHERE id = 122",
                 "SELECT count(*) FROM boot_checks WHERE point_id = 122"),
      becomes_null("flows", "schedule_id", "schedules WHERE id = 2302", "id = 407"),
      becomes_null("flows", "policy_id", "policies WHERE id = 2402", "id = 408"),
      becomes_null("flows", "after_flow_id", "flows WHERE id = 409", "id = 410"),
      becomes_null("jobs", "chain_id", "chains WHERE id = 703", "id = 602"),
      becomes_null("schedule_occurrences", "execution_id", "executions WHERE id = 504", "id = 2803"),
      becomes_null("copies", "flow_id", "flows WHERE id = 415", "id = 1805"),
      becomes_null("copies", "execution_id", "executions WHERE id = 505", "id = 1804"),
      hinders("flows", "group_id", "groups WHERE id = 2203"),
      hinders("flows", "from_repository_id", "repositories WHERE id = 306"),
      hinders("copies", "machine_id, point_id", "points WHERE id = 119"),
      hinders("copies", "machine_id, repository_id, chain_id", "chains WHERE id = 705"),
      hinders("copy_disks", "disk_id, layer_id", "layers WHERE id = 805"),
      hinders("pins", "point_id", "points WHERE id = 120"),
  };
}

}  // namespace

const std::vector<Group>& law_groups() {
  static const std::vector<Group> groups = {
      {"Objects", laws_of_objects()},   {"IdsAndNames", laws_of_ids_and_names()},
      {"Checks", laws_of_checks()},     {"Uniqueness", laws_of_uniqueness()},
      {"Words", laws_of_words()},       {"References", laws_of_references()},
      {"Deletion", laws_of_deletion()},
  };
  return groups;
}

}  // namespace holdfast::db
