// Measurements of the scheduler for tools/bench:
//
//   scheduler_bench DIR   makes a catalog with 100 flows and one with 10,000, each flow with its own
//   schedule.
//                         Looks at both agendas by turns, when ten flows are due. Prints SMALL LARGE, the
//                         medians in microseconds of processor time
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <utility>

#include "catalog/catalog.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/repositories.h"
#include "engine/capture/throttle.h"
#include "engine/repository/readers.h"
#include "engine/repository/shelf.h"
#include "engine/runs/accounts.h"
#include "engine/runs/prunings.h"
#include "engine/schedule/agenda.h"
#include "tests/lib/must.h"
#include "tests/lib/set_clock.h"

namespace holdfast {
namespace {

using holdfast::test::must;

using namespace std::chrono_literals;

constexpr int kDue = 10;
constexpr int kRounds = 200;
constexpr auto kMinute = 60s;

class Silent final : public Observer {
 public:
  void changed(ObjectKind, Id) override {}
};

// Begins runs in the catalog as the real starter does, but does not execute their jobs.
class Runs final : public schedule::Starter {
 public:
  Runs(const capture::Services& services, runs::Prunings& prunings)
      : services_(services), prunings_(prunings) {}
  Result<Guard> admit() override { return Guard{}; }
  Result<runs::FlowRun> begin(db::Connection& db, Id flow, const std::string& by) override {
    return runs::begin_scheduled_flow(db, services_, prunings_, flow, by);
  }
  void take_on(runs::FlowRun run) override { started_.push_back(std::move(run)); }

  // Ends all started runs and returns their number.
  std::size_t end_all(Catalog& catalog, Time now) {
    must(catalog.write([&](db::Connection& db) -> Result<> {
      for (const runs::FlowRun& run : started_)
        for (const runs::Work& work : run.works) {
          HF_CHECK(runs::job_started(db, work.job, now));
          HF_TRY(const bool is_last, runs::job_ended(db, work.job, {}, now));
          if (is_last) HF_CHECK(runs::end_execution(db, run.execution, EndReason::failed, "", now));
        }
      return {};
    }));
    return std::exchange(started_, {}).size();
  }

 private:
  const capture::Services& services_;
  runs::Prunings& prunings_;
  std::vector<runs::FlowRun> started_;
};

// Ten schedules are due each minute, the others in years.
class House {
 public:
  House(const std::string& path, int flows) : catalog_(must(Catalog::open(path))) {
    must(catalog_->write([&](db::Connection& db) -> Result<> {
      HF_TRY(const Machine machine, Machines(db).add("m", {}, clock_.now()));
      HF_CHECK(Machines(db).define(machine.id, {.driver = "qmp", .disks = {{"disk-0"}}}, clock_.now()));
      HF_TRY(const Repository repository, Repositories(db).add("r", {}, clock_.now()));
      HF_CHECK(Repositories(db).define(repository.id, {.path = "/srv/backup"}, clock_.now()));
      HF_CHECK(db.execute_script(fmt::format(
          R"sql(
          WITH RECURSIVE n (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {flows})
          INSERT INTO schedules (id, name, uid, gid, mode, definition, revision, created_at, changed_at)
          SELECT 1000 + n, 's' || n, 0, 0, 488, CASE WHEN n < {due} THEN '{often}' ELSE '{rarely}' END, 1, 0, 0
          FROM n;
          WITH RECURSIVE n (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {flows})
          INSERT INTO flows (id, name, uid, gid, mode, definition, revision, created_at, changed_at, machine_id,
                             repository_id, schedule_id)
          SELECT 1000 + n, 'f' || n, 0, 0, 488, '{flow}', 1, 0, 0, {machine}, {repository}, 1000 + n
          FROM n;)sql",
          fmt::arg("flows", flows), fmt::arg("due", kDue), fmt::arg("machine", machine.id),
          fmt::arg("repository", repository.id),
          fmt::arg("often", stored_text(ScheduleDefinition{.every = std::chrono::seconds{60}})),
          fmt::arg("rarely", stored_text(ScheduleDefinition{.every = std::chrono::seconds{300000000}})),
          fmt::arg("flow", stored_text(FlowDefinition{})))));
      return {};
    }));
    must(agenda_.look());
  }

  // Advances the clock by a minute and measures a look at the due times.
  void look() {
    clock_.advance(kMinute);
    const std::clock_t begun = std::clock();
    must(agenda_.look());
    microseconds_.push_back(1e6 * static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC);
    if (starter_.end_all(*catalog_, clock_.now()) == kDue) return;
    std::fprintf(stderr, "scheduler_bench: not ten were started\n");
    std::exit(EXIT_FAILURE);
  }
  double median() {
    std::ranges::sort(microseconds_);
    return microseconds_[microseconds_.size() / 2];
  }

 private:
  const std::unique_ptr<Catalog> catalog_;
  holdfast::test::SetClock clock_{Time{std::chrono::seconds{1'800'000'000}}};
  ClockWatch clock_watch_{clock_};
  repository::Shelf shelf_;
  capture::Throttles throttles_;
  repository::Readers readers_;
  LeftBehind left_behind_;
  const capture::Services services_{*catalog_,  clock_,   clock_watch_, shelf_,
                                    throttles_, readers_, left_behind_, ""};
  Silent observer_;
  runs::Runner runner_{services_, observer_, {}, [](const Execution&) {}};
  repository::Definitions definitions_{*catalog_, shelf_};
  runs::Prunings prunings_{services_, runner_, definitions_};
  Runs starter_{services_, prunings_};
  schedule::Agenda agenda_{*catalog_, clock_, starter_, observer_};
  std::vector<double> microseconds_;
};

}  // namespace
}  // namespace holdfast

int main(int count, char** words) {
  if (count != 2) return std::fprintf(stderr, "Usage: scheduler_bench DIRECTORY\n"), 2;
  const std::string directory = words[1];
  holdfast::House small(directory + "/small.sqlite", 100), large(directory + "/large.sqlite", 10'000);
  for (int round = 0; round < holdfast::kRounds; ++round) {
    (round % 2 == 0 ? small : large).look();
    (round % 2 == 0 ? large : small).look();
  }
  fmt::print("{:.1f} {:.1f}\n", small.median(), large.median());
  return EXIT_SUCCESS;
}
