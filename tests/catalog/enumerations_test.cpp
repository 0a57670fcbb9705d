// Law 18: an enumeration of the program and its table in the database have the same words, and each word can
// be written and read back where a column holds it. Words in definitions are tried in
// stored_definitions_test.cpp.
#include <map>
#include <set>
#include <tuple>

#include "catalog/stores/boot_checks.h"
#include "tests/catalog/fixture.h"

namespace holdfast {
namespace {

template <class E>
std::vector<E> all_of() {
  std::vector<E> values;
  for (const std::string_view word : Words<E>::words) values.push_back(*from_word<E>(word));
  return values;
}

using WordsOfTables = std::map<std::string, std::set<std::string>>;

template <class... E>
WordsOfTables words_of(const std::tuple<E...>*) {
  return {{std::string(Words<E>::table), {Words<E>::words.begin(), Words<E>::words.end()}}...};
}

class EnumerationsTest : public CatalogTest {};

TEST_F(EnumerationsTest, the_database_has_the_same_tables_and_words_as_the_program) {
  WordsOfTables found;
  read([&](db::Connection& db) {
    auto tables = must(db.prepare(R"sql(
      SELECT name FROM sqlite_schema AS found
      WHERE type = 'table' AND (SELECT group_concat(name) FROM pragma_table_info(found.name)) = 'word')sql"));
    while (must(tables.step())) {
      auto words = must(db.prepare("SELECT word FROM " + tables.text(0)));
      while (must(words.step())) found[tables.text(0)].insert(words.text(0));
    }
  });
  EXPECT_EQ(found, words_of(static_cast<const Enumerations*>(nullptr)));
}

TEST_F(EnumerationsTest, every_word_is_one_value_and_back) {
  for (const FullReason reason : all_of<FullReason>())
    EXPECT_EQ(from_word<FullReason>(to_word(reason)), reason);
  EXPECT_EQ(from_word<FullReason>("bogus"), std::nullopt);
}

TEST_F(EnumerationsTest, every_status_type_and_reason_of_an_execution_is_read_back) {
  int number = 0;
  for (const ExecutionType type : all_of<ExecutionType>())
    for (const RunStatus status : all_of<RunStatus>())
      for (const EndReason reason : all_of<EndReason>()) {
        Execution execution = an_execution(flow, fmt::format("r{}", ++number));
        execution.type = type;
        execution.status = status;
        if (status != RunStatus::pending) execution.started_at = at(1);
        if (is_final(status)) {
          execution.completed_at = at(2);
          execution.reason = reason;
        }
        write([&](db::Connection& db) { must(Executions(db).add(execution)); });
        const Execution found =
            read([&](db::Connection& db) { return must(Executions(db).get(execution.id)); });
        EXPECT_EQ(found.type, type);
        EXPECT_EQ(found.status, status);
        EXPECT_EQ(found.reason, execution.reason);
        if (!is_final(status)) {  // makes room for the next one
          end(execution, RunStatus::success);
          write([&](db::Connection& db) { must(Executions(db).update(execution)); });
        }
      }
}

TEST_F(EnumerationsTest, every_type_status_and_reason_of_a_job_is_read_back) {
  int number = 0;
  for (const JobType type : all_of<JobType>())
    for (const RunStatus status : all_of<RunStatus>())
      for (const EndReason reason : all_of<EndReason>()) {
        Job job = a_job(fmt::format("j{}", ++number));
        job.type = type;
        job.status = status;
        if (status != RunStatus::pending) job.started_at = at(1);
        if (is_final(status)) {
          job.completed_at = at(2);
          job.reason = reason;
        }
        write([&](db::Connection& db) { must(Jobs(db).add(job)); });
        const Job found = read([&](db::Connection& db) { return must(Jobs(db).get(job.id)); });
        EXPECT_EQ(found.type, type);
        EXPECT_EQ(found.status, status);
        EXPECT_EQ(found.reason, job.reason);
      }
}

TEST_F(EnumerationsTest, every_reason_consistency_and_compression_of_a_point_is_read_back) {
  int number = 0;
  for (const FullReason reason : all_of<FullReason>())
    for (const Consistency consistency : all_of<Consistency>())
      for (const Compression compression : all_of<Compression>()) {
        ++number;
        Point point = begin_point(fmt::format("t{}", number), number);
        point.full_reason = reason;
        point.consistency = consistency;
        point.compression = compression;
        const auto layers = fill(point);
        write([&](db::Connection& db) { must(Points(db).commit(point, layers)); });
        const Point found = read([&](db::Connection& db) { return must(Points(db).get(point.id)); });
        EXPECT_EQ(found.full_reason, reason);
        EXPECT_EQ(found.disks.at(0).full_reason, reason);
        EXPECT_EQ(found.consistency, consistency);
        EXPECT_EQ(found.compression, compression);
      }
}

TEST_F(EnumerationsTest, every_result_and_accelerator_of_a_boot_check_is_read_back) {
  const Point point = committed_point("t1", 1);
  for (const VerdictResult result : all_of<VerdictResult>())
    for (const Accelerator accelerator : all_of<Accelerator>()) {
      const bool is_good = result == VerdictResult::good;
      const BootCheck check{.point_id = point.id,
                            .at = at(2),
                            .result = result,
                            .reason = is_good ? "" : "it hangs",
                            .expect = "screen",
                            .accelerator = accelerator,
                            .took = std::chrono::milliseconds{1234}};
      write([&](db::Connection& db) { must(BootChecks(db).set(check, is_good ? "picture" : "")); });
      read([&](db::Connection& db) {
        BootChecks checks(db);
        EXPECT_EQ(must(checks.of_point(point.id)), check);
        EXPECT_EQ(must(checks.newest_of(point.machine_id)), check);
        EXPECT_EQ(must(checks.screenshot(point.id)), is_good ? "picture" : "");
        EXPECT_EQ(must(checks.has_screenshot(point.id)), is_good);
        EXPECT_EQ(must(checks.times_of(point.machine_id)).proven_at, at(2));
      });
    }
}

TEST_F(EnumerationsTest, every_state_and_kind_of_a_point_is_read_back) {
  const Point full = committed_point("t1", 1);
  const Point incremental = committed_point("t2", 2, &full);
  const Point writing = begin_point("t3", 3, &full);
  write([&](db::Connection& db) { must(Retention(db).retire(full.id, at(4))); });
  read([&](db::Connection& db) {
    Points points(db);
    EXPECT_EQ(must(points.get(full.id)).kind, PointKind::full);
    EXPECT_EQ(must(points.get(full.id)).disks.at(0).kind, PointKind::full);
    EXPECT_EQ(must(points.get(incremental.id)).kind, PointKind::incremental);
    EXPECT_EQ(must(points.get(incremental.id)).disks.at(0).kind, PointKind::incremental);
    EXPECT_EQ(must(points.get(incremental.id)).state, PointState::committed);
    EXPECT_EQ(must(points.get(writing.id)).state, PointState::writing);
    EXPECT_EQ(must(points.get(full.id)).state, PointState::retired);
  });
  EXPECT_EQ(all_of<PointKind>().size(), 2u);
  EXPECT_EQ(all_of<PointState>().size(), 3u);
}

TEST_F(EnumerationsTest, every_kind_of_a_leftover_is_read_back) {
  const Point point = begin_point("t1", 1);
  for (const LeftoverKind kind : all_of<LeftoverKind>())
    write([&](db::Connection& db) {
      must(Leftovers(db).add({new_id(), machine, point.id, kind, "hf", "", "abacus"}));
    });
  std::vector<LeftoverKind> found;
  for (const Leftover& leftover :
       read([&](db::Connection& db) { return must(Leftovers(db).of_machine(machine)); }))
    found.push_back(leftover.kind);
  EXPECT_EQ(found, all_of<LeftoverKind>());
}

TEST_F(EnumerationsTest, every_result_of_an_event_is_read_back) {
  for (const EventResult result : all_of<EventResult>()) {
    Event event;
    event.event = "test";
    event.result = result;
    write([&](db::Connection& db) { must(Events(db).add(event)); });
  }
  std::vector<EventResult> found;
  for (const Event& event : read([&](db::Connection& db) { return must(Events(db).since(0, 100, {})); }))
    found.push_back(event.result);
  EXPECT_EQ(found, all_of<EventResult>());
}

TEST_F(EnumerationsTest, every_status_and_reason_of_an_occurrence_is_read_back) {
  write([&](db::Connection& db) {
    const Id schedule = must(Schedules(db).add("h", {}, at(0))).id;
    int number = 0;
    for (const OccurrenceStatus status : all_of<OccurrenceStatus>())
      for (const OccurrenceReason reason : all_of<OccurrenceReason>()) {
        Occurrence occurrence{new_id(), schedule, flow, at(++number), status};
        if (status == OccurrenceStatus::skipped || status == OccurrenceStatus::missed)
          occurrence.reason = reason;
        must(Occurrences(db).add(occurrence));
        EXPECT_EQ(must(Occurrences(db).newest(schedule, 1)).at(0), occurrence);
      }
  });
}

TEST_F(EnumerationsTest, every_verdict_and_level_of_verification_of_a_point_is_read_back) {
  const Point point = committed_point("t1", 1);
  write([&](db::Connection& db) {
    for (const VerdictResult result : all_of<VerdictResult>()) {
      must(Verdicts(db).add({new_id(), point.id, at(0), result, "ann", ""}));
      EXPECT_EQ(must(Verdicts(db).of_point(point.id)).back().result, result);
    }
    for (const VerifyLevel level : all_of<VerifyLevel>()) {
      must(Points(db).set_verified(point.id, {at(0), level}));
      EXPECT_EQ(must(Points(db).get(point.id)).verified->level, level);
    }
    for (const VerdictResult result : all_of<VerdictResult>()) {
      must(Points(db).set_verified(point.id, {at(0), VerifyLevel::quick, result}));
      EXPECT_EQ(must(Points(db).get(point.id)).verified->result, result);
    }
  });
}

TEST_F(EnumerationsTest, every_kind_of_a_definition_that_has_changed_is_read_back) {
  write([&](db::Connection& db) {
    DefinitionChanges changes(db);
    const auto before = must(changes.newest());
    for (const DefinitionKind kind : all_of<DefinitionKind>()) must(changes.note(kind, "x"));
    std::vector<DefinitionKind> found;
    for (const auto& change : must(changes.since(before))) found.push_back(change.kind);
    EXPECT_EQ(found, all_of<DefinitionKind>());
  });
}

}  // namespace
}  // namespace holdfast
