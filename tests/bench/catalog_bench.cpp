// Measurements of the catalog for tools/bench:
//
//   catalog_bench growth DIR   makes a catalog with 1,000 executions and one with 1,000,000, and queries
//   both.
//                              Prints a line per query: NAME SMALL LARGE, in microseconds
//   catalog_bench insert DIR   inserts 100,000 executions with their jobs through the stores, and through the
//                              bare sqlite3 interface. Prints a line per round: OURS BARE in seconds, then
//                              both in seconds of processor time
#include <fmt/core.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <random>

#include "catalog/base/id.h"
#include "catalog/catalog.h"
#include "catalog/stores/events.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/leftovers.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/schedules.h"
#include "catalog/stores/totals.h"
#include "tests/lib/must.h"

namespace holdfast {
namespace {

using holdfast::test::must;

struct Taken {
  double seconds = 0;
  double cpu_seconds = 0;
};

Taken measured(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  const std::clock_t cpu_begun = std::clock();
  work();
  return {.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(),
          .cpu_seconds = static_cast<double>(std::clock() - cpu_begun) / CLOCKS_PER_SEC};
}

constexpr Time kNow{std::chrono::seconds{1'800'000'000}};
constexpr int kExecutionsOfAFlow = 100;
constexpr int kJobsOfAnExecution = 3;
constexpr int kRunning = 5;
constexpr int kDue = 5;

// First ids of the rows that the SQL below inserts.
constexpr Id kFlows = 1'000, kExecutions = 1'000'000, kJobs = 10'000'000;

struct Sized {
  std::unique_ptr<Catalog> catalog;
  int flows = 0;
};

// Inserts executions as a real house does: flow after flow in turns, each execution with its jobs. All but a
// few executions have ended; a few schedules are due.
Sized make_catalog(const std::string& path, int flows) {
  auto catalog = must(Catalog::open(path));
  const auto fill = [&](db::Connection& db) -> Result<> {
    Machines machines(db);
    HF_TRY(const Machine machine, machines.add("m", {}, kNow));
    HF_TRY(const Repository repository, Repositories(db).add("r", {}, kNow));
    const int executions = flows * kExecutionsOfAFlow;
    HF_CHECK(db.execute_script(fmt::format(
        R"sql(
        WITH RECURSIVE n (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {flows})
        INSERT INTO schedules (id, name, uid, gid, mode, definition, revision, created_at, changed_at, next_at)
        SELECT {first_flow} + n, 's' || n, 0, 0, 488, '{schedule}', 1, 0, 0,
               CASE WHEN n < {due} THEN {now} ELSE {now} + 60000 + n END
        FROM n;

        WITH RECURSIVE n (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {flows})
        INSERT INTO flows (id, name, uid, gid, mode, definition, revision, created_at, changed_at, machine_id,
                           repository_id, schedule_id, total_executions)
        SELECT {first_flow} + n, 'f' || n, 0, 0, 488, '{flow}', 1, 0, 0, {machine}, {repository},
               {first_flow} + n, {each}
        FROM n;

        WITH RECURSIVE n (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {executions})
        INSERT INTO executions (id, flow_id, name, status, type, jobs_created, jobs_completed, jobs_failed,
                                jobs_skipped, machines_processed, bytes_read, bytes_transferred, bytes_stored,
                                created_at, started_at, completed_at, revision)
        SELECT {first_execution} + n, {first_flow} + n % {flows}, 'r' || n,
               CASE WHEN n < {executions} - {running} THEN 'success' ELSE 'running' END, 'scheduled', 3, 3, 0, 0,
               1, 1048576, 1048576, 524288, n, n, CASE WHEN n < {executions} - {running} THEN n + 1 END, n
        FROM n;

        WITH RECURSIVE n (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {executions} * {jobs})
        INSERT INTO jobs (id, name, type, owner, execution_id, machine_id, repository_id, status, metadata,
                          bytes_done, bytes_total, bytes_read, bytes_transferred, bytes_stored, created_at,
                          started_at, completed_at, revision)
        SELECT {first_job} + n, 'j' || n, 'backup', 'flows/f', {first_execution} + n / {jobs}, {machine},
               {repository}, 'success', '{{}}', 1, 1, 1, 1, 1, n, n, n + 1, n
        FROM n;)sql",
        fmt::arg("flows", flows), fmt::arg("executions", executions), fmt::arg("jobs", kJobsOfAnExecution),
        fmt::arg("each", kExecutionsOfAFlow), fmt::arg("first_flow", kFlows),
        fmt::arg("first_execution", kExecutions), fmt::arg("first_job", kJobs),
        fmt::arg("machine", machine.id), fmt::arg("repository", repository.id), fmt::arg("due", kDue),
        fmt::arg("running", kRunning),
        fmt::arg("schedule", stored_text(ScheduleDefinition{.every = std::chrono::seconds{60}})),
        fmt::arg("flow", stored_text(FlowDefinition{})), fmt::arg("now", kNow.time_since_epoch().count()))));
    return {};
  };
  must(catalog->write(fill));
  // Reopening empties the write-ahead log.
  catalog.reset();
  return {must(Catalog::open(path)), flows};
}

struct Question {
  const char* name;
  std::function<Result<>(db::Connection&, Id flow)> ask;
};

Result<> expect(bool right, const char* what) {
  return right ? Result<>{} : fail(EIO, "the catalog answered wrong: {}", what);
}

const std::vector<Question>& questions() {
  static const std::vector<Question> all = {
      {"flow-status",
       [](db::Connection& db, Id flow) -> Result<> {
         HF_TRY(const Flow found, Flows(db).get(flow));
         HF_TRY(const auto last, Executions(db).latest(flow));
         return expect(found.total_executions == kExecutionsOfAFlow && last.has_value(), "status");
       }},
      {"newest-executions",
       [](db::Connection& db, Id flow) -> Result<> {
         HF_TRY(const auto newest, Executions(db).newest(flow, 50));
         return expect(newest.size() == 50, "newest executions");
       }},
      {"summary",
       [](db::Connection& db, Id) -> Result<> {
         HF_TRY(const Totals totals, read_totals(db));
         HF_TRY(const auto running, Executions(db).unfinished());
         HF_CHECK(Leftovers(db).machines());
         HF_CHECK(Events(db).newest());
         return expect(totals.flows > 0 && running.size() == kRunning, "summary");
       }},
      {"due-schedules",
       [](db::Connection& db, Id) -> Result<> {
         HF_TRY(const auto due, Schedules(db).due(kNow, 100));
         return expect(due.size() == kDue, "due schedules");
       }},
  };
  return all;
}

// Median of many queries, each for a random flow.
class Asked {
 public:
  explicit Asked(Sized& sized) : sized_(sized) {}
  void ask(const Question& question) {
    const Id flow = kFlows + static_cast<Id>(random_() % static_cast<unsigned>(sized_.flows));
    const Taken taken = measured(
        [&] { must(sized_.catalog->read([&](db::Connection& db) { return question.ask(db, flow); })); });
    microseconds_.push_back(1e6 * taken.seconds);
  }
  double median() {
    std::ranges::sort(microseconds_);
    return microseconds_[microseconds_.size() / 2];
  }

 private:
  Sized& sized_;
  std::mt19937 random_{1};  // the same flows in each run
  std::vector<double> microseconds_;
};

void growth(const std::string& directory) {
  constexpr int kRounds = 500;
  Sized small = make_catalog(directory + "/small.sqlite", 10);
  Sized large = make_catalog(directory + "/large.sqlite", 10'000);
  for (const Question& question : questions()) {
    Asked of_small(small), of_large(large);
    for (int i = 0; i < kRounds; ++i) {
      of_small.ask(question);
      of_large.ask(question);
    }
    fmt::print("{} {:.1f} {:.1f}\n", question.name, of_small.median(), of_large.median());
  }
}

// Inserts. Both ways make the same rows by the same statements in transactions of the same size.

constexpr int kInserted = 100'000;
constexpr int kOfATransaction = 1'000;

Id empty_catalog(const std::string& path) {
  const auto catalog = must(Catalog::open(path));
  return must(catalog->write([](db::Connection& db) -> Result<Id> {
    HF_TRY(const Flow flow, Flows(db).add("f", {}, kNow));
    return flow.id;
  }));
}

Execution an_execution(Id flow, int number) {
  Execution execution;
  execution.id = kExecutions + number, execution.flow_id = flow;
  execution.name = fmt::format("r{}", number);
  execution.status = RunStatus::success;
  execution.type = ExecutionType::scheduled;
  execution.created_at = kNow, execution.started_at = kNow, execution.completed_at = kNow;
  return execution;
}

Result<> insert_some(db::Connection& db, Id flow, int first) {
  Executions executions(db);
  Jobs jobs(db);
  for (int n = first; n < first + kOfATransaction; ++n) {
    const Execution execution = an_execution(flow, n);
    HF_CHECK(executions.add(execution));
    for (int k = 0; k < kJobsOfAnExecution; ++k) {
      Job job;
      job.id = kJobs + n * kJobsOfAnExecution + k;
      job.name = fmt::format("j{}", job.id);
      job.owner = "flows/f";
      job.execution_id = execution.id;
      job.status = RunStatus::success;
      job.created_at = kNow, job.started_at = kNow, job.completed_at = kNow;
      HF_CHECK(jobs.add(job));
    }
  }
  return {};
}

Taken insert_ours(const std::string& path) {
  const Id flow = empty_catalog(path);
  const auto catalog = must(Catalog::open(path));
  return measured([&] {
    for (int first = 0; first < kInserted; first += kOfATransaction)
      must(catalog->write([&](db::Connection& db) { return insert_some(db, flow, first); }));
  });
}

// Inserts through sqlite3 alone.
class Bare {
 public:
  explicit Bare(const std::string& path) {
    check(sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr));
    run("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    execution_ = prepare(
        "INSERT INTO executions (id, flow_id, name, status, type, started_by, reason, message, jobs_created, "
        "jobs_completed, jobs_failed, jobs_skipped, machines_processed, bytes_read, bytes_transferred, "
        "bytes_stored, created_at, started_at, completed_at, revision) "
        "VALUES (?1, ?2, ?3, 'success', 'scheduled', NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, ?4, ?4, ?4, "
        "?5)");
    total_ = prepare("UPDATE flows SET total_executions = total_executions + 1, revision = ?2 WHERE id = ?1");
    end_ = prepare(
        "UPDATE flows SET successful_executions = successful_executions + 1, finished_executions = "
        "finished_executions + 1, revision = ?2 WHERE id = ?1");
    job_ = prepare(
        "INSERT INTO jobs (id, name, type, operation, owner, execution_id, machine_id, repository_id, "
        "parent_job_id, chain_id, status, reason, message, metadata, bytes_done, bytes_total, bytes_read, "
        "bytes_transferred, bytes_stored, created_at, started_at, completed_at, revision) "
        "VALUES (?1, ?2, 'backup', NULL, 'flows/f', ?3, NULL, NULL, NULL, NULL, 'success', NULL, NULL, '{}', "
        "0, "
        "0, 0, 0, 0, ?4, ?4, ?4, ?5)");
  }
  Bare(const Bare&) = delete;
  ~Bare() {
    for (sqlite3_stmt* statement : {execution_, total_, end_, job_}) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }

  void insert_some(Id flow, int first) {
    run("BEGIN IMMEDIATE");
    const auto now = kNow.time_since_epoch().count();
    for (int n = first; n < first + kOfATransaction; ++n) {
      const std::string name = fmt::format("r{}", n);
      sqlite3_bind_int64(execution_, 1, kExecutions + n);
      sqlite3_bind_int64(execution_, 2, flow);
      sqlite3_bind_text(execution_, 3, name.data(), static_cast<int>(name.size()), SQLITE_STATIC);
      sqlite3_bind_int64(execution_, 4, now);
      sqlite3_bind_int64(execution_, 5, new_id());
      step(execution_);
      for (sqlite3_stmt* count : {total_, end_}) {
        sqlite3_bind_int64(count, 1, flow);
        sqlite3_bind_int64(count, 2, new_id());
        step(count);
      }
      for (int k = 0; k < kJobsOfAnExecution; ++k) {
        const Id id = kJobs + n * kJobsOfAnExecution + k;
        const std::string job = fmt::format("j{}", id);
        sqlite3_bind_int64(job_, 1, id);
        sqlite3_bind_text(job_, 2, job.data(), static_cast<int>(job.size()), SQLITE_STATIC);
        sqlite3_bind_int64(job_, 3, kExecutions + n);
        sqlite3_bind_int64(job_, 4, now);
        sqlite3_bind_int64(job_, 5, new_id());
        step(job_);
      }
    }
    run("COMMIT");
  }

 private:
  void check(int code) {
    if (code == SQLITE_OK || code == SQLITE_DONE) return;
    std::fprintf(stderr, "catalog_bench: %s\n", sqlite3_errmsg(db_));
    std::exit(EXIT_FAILURE);
  }
  void run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr));
    return statement;
  }
  void step(sqlite3_stmt* statement) {
    check(sqlite3_step(statement));
    sqlite3_reset(statement);
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt *execution_ = nullptr, *total_ = nullptr, *end_ = nullptr, *job_ = nullptr;
};

Taken insert_bare(const std::string& path) {
  const Id flow = empty_catalog(path);
  Bare bare(path);
  return measured([&] {
    for (int first = 0; first < kInserted; first += kOfATransaction) bare.insert_some(flow, first);
  });
}

// Returns sums over the inserted rows, without the columns that hold times.
std::string rows_of(const std::string& path) {
  const auto catalog = must(Catalog::open(path));
  return must(catalog->read([](db::Connection& db) -> Result<std::string> {
    std::string rows;
    for (const char* sql :
         {"SELECT count(*) || ' ' || sum(id) || ' ' || max(name) || min(status) FROM executions",
          "SELECT count(*) || ' ' || sum(id) || ' ' || max(name) || sum(execution_id) FROM jobs",
          "SELECT total_executions || ' ' || successful_executions || ' ' || finished_executions FROM "
          "flows"}) {
      HF_TRY(auto found, db.prepare(sql));
      HF_CHECK(found.step());
      rows += found.text(0) + "\n";
    }
    return rows;
  }));
}

void insert(const std::string& directory) {
  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    const std::string place = fmt::format("{}/round-{}", directory, round);
    std::filesystem::create_directory(place);
    const Taken ours = insert_ours(place + "/ours.sqlite");
    const Taken bare = insert_bare(place + "/bare.sqlite");
    must(expect(rows_of(place + "/ours.sqlite") == rows_of(place + "/bare.sqlite"), "rows differ"));
    fmt::print("{:.3f} {:.3f} {:.3f} {:.3f}\n", ours.seconds, bare.seconds, ours.cpu_seconds,
               bare.cpu_seconds);
    std::fflush(stdout);
    std::filesystem::remove_all(place);
  }
}

}  // namespace
}  // namespace holdfast

int main(int count, char** words) {
  const std::string what = count == 3 ? words[1] : "";
  if (what == "growth")
    holdfast::growth(words[2]);
  else if (what == "insert")
    holdfast::insert(words[2]);
  else
    return std::fprintf(stderr, "Usage: catalog_bench growth|insert DIRECTORY\n"), 2;
  return EXIT_SUCCESS;
}
