// The laws that the schema keeps by itself, whatever the program does: what is tried against each of its
// constraints.
#include "tests/catalog/schema_laws.h"

namespace holdfast::db {
namespace {

std::vector<Law> laws_of_objects() {
  std::vector<Law> laws;
  for (const auto& [table, spare] : std::vector<std::pair<std::string, std::string>>{
           {"machines", "101"}, {"repositories", "103"}, {"flows", "104"}}) {
    const auto add = [&, &t = table, &id = spare](const std::string& name, const std::string& change) {
      laws.push_back({check(t, name), fmt::format("UPDATE {} SET {} WHERE id = {}", t, change, id),
                      Kind::check, "", ""});
    };
    add("mode_is_permission_bits", "mode = 4096");
    add("uid_and_gid_are_unsigned", "uid = -1");
    add("complete_is_a_boolean", "complete = 2");
    add("absent_text_is_null", "description = ''");
    laws.push_back(
        {unique_column(table, "name"),
         fmt::format("UPDATE {0} SET name = (SELECT min(name) FROM {0}) WHERE id = {1}", table, spare),
         Kind::unique, "", ""});
  }
  for (const auto& [table, one] : std::vector<std::pair<std::string, std::string>>{
           {"machine", "1"}, {"repository", "3"}, {"flow", "4"}}) {
    const std::string tags = table + "_tags", id = table + "_id";
    const auto update = [&, &own = one](const std::string& change) {
      return fmt::format("UPDATE {} SET {} WHERE {} = {} AND position = 1", tags, change, id, own);
    };
    laws.push_back({check(tags, "tag_is_not_empty"), update("tag = ''"), Kind::check, "", ""});
    laws.push_back(
        {unique_columns(tags, id + ", tag"),
         update(fmt::format("tag = (SELECT tag FROM {} WHERE {} = {} AND position = 0)", tags, id, one)),
         Kind::unique, "", ""});
    laws.push_back({reference(tags, id), update(id + " = 999"), Kind::foreign_key, "", ""});
    Constraint place = unique_columns(tags, id + ", position");
    place.instead = "PRIMARY KEY (" + id + ", position, tag)";  // these tables can't be without one
    laws.push_back({place, update("position = 0"), Kind::unique, "", ""});
  }
  return laws;
}

std::vector<Law> laws_of_ids_and_names() {
  std::vector<Law> laws;
  for (const auto& [table, spare] : std::vector<std::pair<std::string, std::string>>{{"machines", "101"},
                                                                                     {"disks", "102"},
                                                                                     {"repositories", "103"},
                                                                                     {"flows", "104"},
                                                                                     {"executions", "105"},
                                                                                     {"jobs", "106"},
                                                                                     {"chains", "107"},
                                                                                     {"layers", "108"},
                                                                                     {"points", "110"},
                                                                                     {"point_disks", "12"},
                                                                                     {"leftovers", "16"},
                                                                                     {"events", "17"}}) {
    laws.push_back({check(table, "id_is_positive"),
                    fmt::format("UPDATE {} SET id = 0 WHERE id = {}", table, spare), Kind::check, "", ""});
    if (table == "chains" || table == "layers" || table == "leftovers" || table == "events") continue;
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
      law("machines", "a_complete_qmp_machine_has_a_socket", "socket = NULL WHERE id = 101"),
      law("machines", "counters_are_not_negative", "points = -1 WHERE id = 101"),
      law("disks", "a_configured_disk_has_a_position", "position = NULL WHERE id = 2"),
      law("disks", "absent_text_is_null", "node = ''"),
      law("disks", "capacity_is_not_negative", "capacity = -1"),
      law("repositories", "a_path_is_absolute", "path = 'srv' WHERE id = 103"),
      law("repositories", "a_complete_repository_has_a_path", "path = NULL WHERE id = 103"),
      law("repositories", "compression_level_is_in_range", "compression_level = 23"),
      law("repositories", "cluster_size_is_a_power_of_two", "cluster_size = 5000"),
      law("repositories", "read_only_is_a_boolean", "read_only = 2"),
      law("repositories", "counters_are_not_negative", "bytes_stored = -1"),
      law("flows", "enabled_is_a_boolean", "enabled = 2"),
      law("flows", "a_complete_flow_has_target_and_repository", "machine_id = NULL WHERE id = 104"),
      law("flows", "counters_are_not_negative", "successful_executions = 1"),
      law("executions", "absent_text_is_null", "message = ''"),
      law("executions", "what_runs_has_started",
          "status = 'running', started_at = NULL, completed_at = NULL, reason = NULL WHERE id = 105"),
      law("executions", "what_has_ended_has_an_end", "completed_at = NULL WHERE id = 105"),
      law("executions", "only_what_has_ended_has_a_reason",
          "status = 'pending', completed_at = NULL WHERE id = 105"),
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
      law("leftovers", "name_is_not_empty", "name = ''"),
      law("leftovers", "absent_text_is_null", "detail = ''"),
      law("events", "event_is_not_empty", "event = ''"),
      law("events", "absent_text_is_null", "reason = ''"),
      law("events", "a_caller_is_known_whole", "uid = 0 WHERE id = 117"),
  };
}

std::vector<Law> laws_of_uniqueness() {
  const auto law = [](Constraint constraint, const char* change) {
    return Law{std::move(constraint), change, Kind::unique, "", ""};
  };
  return {
      law(unique_column("machines", "key"), "UPDATE machines SET key = 'm-1' WHERE id = 101"),
      law(unique_columns("disks", "machine_id, name"), "UPDATE disks SET name = 'disk-0' WHERE id = 102"),
      law(unique_columns("disks", "machine_id, position"), "UPDATE disks SET position = 0 WHERE id = 112"),
      law(unique_column("repositories", "path"), "UPDATE repositories SET path = '/srv/r' WHERE id = 103"),
      law(unique_columns("executions", "flow_id, name"), "UPDATE executions SET name = 'r1' WHERE id = 15"),
      law(unique_index("executions", "flow_id", "executions_one_active_a_flow"),
          "UPDATE executions SET status = 'pending', completed_at = NULL WHERE id = 5"),
      law(unique_column("jobs", "name"), "UPDATE jobs SET name = 'j1' WHERE id = 106"),
      law(unique_columns("layers", "chain_id, file"),
          "UPDATE layers SET file = 't1/disk-0.qcow2' WHERE id = 9"),
      law(unique_columns("points", "machine_id, name"), "UPDATE points SET name = 't1' WHERE id = 11"),
      law(unique_index("points", "machine_id", "points_one_writing_a_machine"),
          "UPDATE points SET state = 'writing' WHERE id = 11"),
      law(unique_columns("point_disks", "point_id, disk_id"),
          "UPDATE point_disks SET disk_id = 2, layer_id = 8 WHERE id = 13"),
      law(unique_columns("point_disks", "point_id, name"),
          "UPDATE point_disks SET name = 'disk-0' WHERE id = 13"),
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
      law("machines", "driver", 101),    law("repositories", "compression", 103),
      law("flows", "type", 104),         law("executions", "status", 105),
      law("executions", "type", 105),    law("executions", "reason", 105),
      law("jobs", "type", 106),          law("jobs", "status", 106),
      law("jobs", "reason", 106),        law("points", "state", 110),
      law("points", "kind", 11),         law("points", "full_reason", 110),
      law("points", "consistency", 110), law("points", "compression", 110),
      law("point_disks", "kind", 14),    law("point_disks", "full_reason", 12),
      law("leftovers", "kind", 16),      law("events", "result", 17),
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
      law("point_disks", "point_id", "point_id = 999 WHERE id = 12"),
      law("point_disks", "disk_id, layer_id", "layer_id = 118 WHERE id = 12"),
      law("leftovers", "machine_id, point_id", "machine_id = 101 WHERE id = 16"),
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
      goes_along("machine_tags", "machine_id", "machines WHERE id = 202",
                 "SELECT count(*) FROM machine_tags WHERE machine_id = 202"),
      goes_along("repository_tags", "repository_id", "repositories WHERE id = 301",
                 "SELECT count(*) FROM repository_tags WHERE repository_id = 301"),
      goes_along("flow_tags", "flow_id", "flows WHERE id = 401",
                 "SELECT count(*) FROM flow_tags WHERE flow_id = 401"),
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
      becomes_null("points", "execution_id", "executions WHERE id = 503", "id = 111"),
      becomes_null("points", "job_id", "jobs WHERE id = 606", "id = 112"),
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
