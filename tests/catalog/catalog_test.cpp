// The catalog among threads: one writer, readers that never wait for it, nothing half done.
#include <atomic>
#include <barrier>
#include <fstream>
#include <future>
#include <thread>

#include "catalog/turns.h"
#include "tests/catalog/fixture.h"

namespace holdfast {
namespace {

using testing::HasSubstr;

class CatalogThreads : public CatalogTest {
 protected:
  std::size_t flows() {
    return read([](db::Connection& db) { return must(Flows(db).list()).size(); });
  }
  void add_flow(const std::string& name) {
    write([&](db::Connection& db) { must(Flows(db).add(name, {}, at(1))); });
  }
};

TEST_F(CatalogThreads, a_write_that_fails_leaves_nothing_and_the_next_one_is_clean) {
  const auto failed = catalog->write([](db::Connection& db) -> Result<> {
    HF_CHECK(Flows(db).add("half", {}, at(1)));
    return fail(ENOSPC, "no room");
  });
  EXPECT_EQ(failed.error(), (Error{ENOSPC, "no room"}));
  EXPECT_EQ(flows(), 1u);
  add_flow("next");
  EXPECT_EQ(flows(), 2u);
}

TEST_F(CatalogThreads, a_write_that_went_on_after_an_error_is_not_committed) {
  const auto done = catalog->write([](db::Connection& db) -> Result<> {
    HF_CHECK(Flows(db).add("half", {}, at(1)));
    const auto ignored = Flows(db).add("f", {}, at(1));  // exists
    EXPECT_FALSE(ignored);
    return {};
  });
  EXPECT_FALSE(done);
  EXPECT_EQ(flows(), 1u);
  add_flow("next");
}

TEST_F(CatalogThreads, a_read_sees_one_instant_and_does_not_wait_for_an_open_write) {
  std::promise<void> written, seen;
  std::thread writer([&] {
    write([&](db::Connection& db) {
      must(Flows(db).add("new", {}, at(1)));
      written.set_value();
      seen.get_future().wait();  // only a reader that does not wait for us lets us go on
    });
  });
  written.get_future().wait();
  EXPECT_EQ(flows(), 1u);
  seen.set_value();
  writer.join();
  EXPECT_EQ(flows(), 2u);
}

TEST_F(CatalogThreads, a_read_keeps_its_instant_while_others_write) {
  read([&](db::Connection& db) {
    EXPECT_EQ(must(Flows(db).list()).size(), 1u);
    std::thread([&] { add_flow("new"); }).join();
    EXPECT_EQ(must(Flows(db).list()).size(), 1u);
  });
  EXPECT_EQ(flows(), 2u);
}

TEST_F(CatalogThreads, a_read_cannot_write) {
  const auto done = catalog->read([](db::Connection& db) { return Flows(db).add("new", {}, at(1)); });
  EXPECT_FALSE(done);
  EXPECT_EQ(flows(), 1u);
}

TEST_F(CatalogThreads, many_more_readers_than_connections_all_get_their_turn) {
  constexpr int kReaders = 40;
  std::atomic<int> done = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i)
    readers.emplace_back([&] {
      for (int n = 0; n < 10; ++n) done += flows() == 1;
    });
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(done, kReaders * 10);
}

// For the thread sanitizer above all. Every write keeps a sum; every read must see it kept.
TEST_F(CatalogThreads, eight_readers_and_a_writer_never_see_half_a_write) {
  write([](db::Connection& db) {
    must(
        db.execute_script("CREATE TABLE accounts (id INTEGER PRIMARY KEY, amount INTEGER) STRICT; "
                          "INSERT INTO accounts VALUES (1, 500), (2, 500)"));
  });
  constexpr int kReaders = 8;
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0, reads = 0;
  std::barrier all_there(kReaders + 1);
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i)
    readers.emplace_back([&] {
      all_there.arrive_and_wait();
      do {
        const auto sum = read([](db::Connection& db) {
          auto amounts = must(db.prepare("SELECT amount FROM accounts"));
          std::int64_t total = 0;
          while (must(amounts.step())) total += amounts.integer(0);
          return total;
        });
        wrong += sum != 1000;
        ++reads;
      } while (!stop);
    });
  all_there.arrive_and_wait();
  for (int i = 0; i < 100; ++i)
    write([](db::Connection& db) {
      must(must(db.prepare("UPDATE accounts SET amount = amount - 1 WHERE id = 1")).run());
      must(must(db.prepare("UPDATE accounts SET amount = amount + 1 WHERE id = 2")).run());
    });
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(reads, kReaders);
}

TEST_F(CatalogThreads, writers_of_many_threads_all_succeed) {
  std::vector<std::thread> writers;
  for (int thread = 0; thread < 6; ++thread)
    writers.emplace_back([&, thread] {
      for (int i = 0; i < 10; ++i) add_flow(fmt::format("t{}-{}", thread, i));
    });
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(flows(), 61u);
}

TEST_F(CatalogThreads, commits_are_there_after_opening_again) {
  add_flow("new");
  catalog.reset();
  EXPECT_FALSE(std::filesystem::exists(path + "-wal")) << "the last to close empties the log";
  catalog = must(Catalog::open(path));
  EXPECT_EQ(flows(), 2u);
}

TEST_F(CatalogThreads, new_ids_are_greater_than_those_of_an_earlier_life_whatever_the_clock_says) {
  const Id far = new_id() + (Id{1} << 40);
  write([&](db::Connection& db) {
    must(must(db.prepare("UPDATE flows SET revision = :far")).bind(":far", far).run());
  });
  catalog.reset();
  catalog = must(Catalog::open(path));
  EXPECT_GT(new_id(), far);
}

// Found by the simulation: the clock was set back, the daemon was killed, and no start could end the
// interrupted job any more, because the line in its log took an id that an earlier line had.
TEST_F(CatalogThreads, new_ids_are_greater_than_that_of_the_newest_line_of_a_log) {
  const Id far = new_id() + (Id{1} << 41);
  write([&](db::Connection& db) {
    const Job job = a_job("j");
    must(Jobs(db).add(job));
    must(Logs(db).add(job, at(1), "begun"));
    must(must(db.prepare("UPDATE log_lines SET id = :far")).bind(":far", far).run());
  });
  catalog.reset();
  catalog = must(Catalog::open(path));
  EXPECT_GT(new_id(), far);
}

TEST(CatalogTurns, are_served_in_the_order_in_which_they_were_drawn) {
  Turns turns;
  std::vector<Turns::Number> served;
  std::vector<std::thread> threads;
  std::vector<Turns::Number> numbers;
  for (int i = 0; i < 8; ++i) numbers.push_back(turns.draw());
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number)
    threads.emplace_back([&, mine = *number] {
      turns.wait_for(mine);
      served.push_back(mine);
      turns.end();
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, numbers);
}

TEST(CatalogOpening, a_file_that_is_no_catalog_is_refused) {
  const TemporaryDirectory directory;
  const std::string path = directory / "catalog.sqlite";
  std::ofstream(path) << std::string(8192, 'x');
  const auto opened = Catalog::open(path);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr(path));
}

TEST(CatalogOpening, a_missing_directory_is_refused) {
  const auto opened = Catalog::open("/nowhere/at/all/catalog.sqlite");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("/nowhere/at/all/catalog.sqlite"));
}

}  // namespace
}  // namespace holdfast
