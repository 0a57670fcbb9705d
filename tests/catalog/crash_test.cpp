// Killed at any moment, the catalog is whole: what was committed is there, nothing else is, and no row
// refers to one that is not there.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "tests/catalog/fixture.h"

namespace holdfast {
namespace {

int rounds() {
  const char* const wanted = std::getenv("HOLDFAST_KILLS");
  return wanted == nullptr ? 8 : std::atoi(wanted);
}

// Random changes for ever, each told through the pipe once it is committed. Runs in a child process.
[[noreturn]] void write_until_killed(const std::string& path, unsigned seed, int told) {
  std::mt19937 random(seed);
  const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  const auto catalog = Catalog::open(path);
  if (!catalog) _exit(1);
  for (;;) {
    const std::string name = fmt::format("{}", new_id());
    const auto done = (*catalog)->write([&](db::Connection& db) -> Result<> {
      HF_TRY(const Machine machine, Machines(db).add("m" + name, {}, at(0)));
      HF_TRY(const Repository repository, Repositories(db).add("r" + name, {}, at(0)));
      HF_CHECK(Machines(db).define(machine.id, a_machine(), at(0)));
      HF_CHECK(Repositories(db).define(repository.id, a_repository("/srv/" + name), at(0)));
      for (int i = pick(3); i >= 0; --i) {
        HF_TRY(const Flow flow, Flows(db).add(fmt::format("f{}-{}", name, i), {}, at(0)));
        for (int n = pick(4); n > 0; --n) {
          Execution execution = an_execution(flow.id, fmt::format("r{}", n));
          HF_CHECK(Executions(db).add(execution));
          Job job = a_job(fmt::format("j{}-{}-{}", name, i, n));
          job.execution_id = execution.id;
          HF_CHECK(Jobs(db).add(job));
          end(execution, RunStatus::success);
          HF_CHECK(Executions(db).update(execution));
        }
      }
      HF_TRY(const auto flows, Flows(db).list());
      if (flows.size() > 20) HF_CHECK(Flows(db).remove(flows[static_cast<std::size_t>(pick(20))].id));
      Event event;
      event.event = "committed";
      event.object = name;
      return Events(db).add(event);
    });
    if (!done || ::write(told, name.data(), name.size()) < 0 || ::write(told, "\n", 1) < 0) _exit(1);
  }
}

std::vector<std::string> column(db::Connection& db, const char* sql) {
  std::vector<std::string> texts;
  auto rows = must(db.prepare(sql));
  while (must(rows.step())) texts.push_back(rows.text(0));
  return texts;
}

// Faults of a catalog: damage, rows that refer to nothing, commits that are gone, halves of some.
std::vector<std::string> faults(db::Connection& db, const std::vector<std::string>& committed) {
  std::vector<std::string> found = column(db, "PRAGMA integrity_check");
  if (found == std::vector<std::string>{"ok"}) found.clear();
  for (const std::string& table : column(db, "PRAGMA foreign_key_check"))
    found.push_back("a row of " + table + " refers to nothing");
  const auto there = column(db, "SELECT object FROM events");
  for (const std::string& name : committed)
    if (std::ranges::find(there, name) == there.end()) found.push_back(name + " was committed and is gone");
  if (column(db, "SELECT count(*) FROM machines") != column(db, "SELECT count(*) FROM events"))
    found.push_back("half of a commit is there");
  return found;
}

TEST(CatalogCrash, faults_are_seen) {
  const TemporaryDirectory directory;
  const std::string path = directory / "catalog.sqlite";
  must(Catalog::open(path));
  const auto db = must(db::Connection::open(path, db::Mode::read_write));
  EXPECT_THAT(faults(*db, {}), testing::IsEmpty());
  EXPECT_THAT(faults(*db, {"1"}), testing::ElementsAre("1 was committed and is gone"));
  const Id flow = must(Flows(*db).add("f", {}, at(0))).id;
  must(Executions(*db).add(an_execution(flow, "r1")));
  must(db->execute_script("PRAGMA foreign_keys = OFF; DELETE FROM flows"));
  EXPECT_THAT(faults(*db, {}), testing::ElementsAre("a row of executions refers to nothing"));
  must(Machines(*db).add("m", {}, at(0)));
  EXPECT_THAT(faults(*db, {}), testing::Contains("half of a commit is there"));
}

TEST(CatalogCrash, a_kill_during_random_writes_leaves_it_whole) {
  const unsigned seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const TemporaryDirectory directory;
  const std::string path = directory / "catalog.sqlite";

  for (int round = 0; round < rounds(); ++round) {
    int told[2];
    ASSERT_EQ(pipe(told), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(told[0]);
      write_until_killed(path, static_cast<unsigned>(random()), told[1]);
    }
    close(told[1]);
    // At least one commit, then some way into another.
    std::string committed;
    char byte = 0;
    for (unsigned wanted = 1 + random() % 8; wanted > 0 && read(told[0], &byte, 1) == 1;) {
      committed += byte;
      wanted -= byte == '\n';
    }
    usleep(static_cast<useconds_t>(random() % 3000));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
    while (read(told[0], &byte, 1) == 1) committed += byte;
    close(told[0]);

    std::vector<std::string> names;
    for (std::size_t from = 0, end; (end = committed.find('\n', from)) != std::string::npos; from = end + 1)
      names.push_back(committed.substr(from, end - from));
    EXPECT_GT(names.size(), 0u);
    const auto catalog = must(Catalog::open(path));
    must(catalog->read([&](db::Connection& db) -> Result<> {
      EXPECT_THAT(faults(db, names), testing::IsEmpty());
      return {};
    }));
  }
}

}  // namespace
}  // namespace holdfast
