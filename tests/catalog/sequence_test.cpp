// Law 21: the parent and the newest good point follow the numbers of the commits, not the clock and not ids.
#include "tests/catalog/copies_fixture.h"

namespace holdfast {
namespace {

class Sequence : public CopiesTest {
 protected:
  // Commits the points in the order of their numbers, which need not be that of their ids.
  void commit_as(Point& point, std::int64_t number) {
    const auto layers = fill(point, nullptr);
    point.sequence = number;
    write([&](db::Connection& db) { must(Points(db).commit(point, layers)); });
  }
  Id newest() {
    return read([&](db::Connection& db) { return must(Points(db).newest(machine, repository))->id; });
  }
  Id latest() {
    return read([&](db::Connection& db) { return must(Points(db).newest_good(machine))->id; });
  }
  std::int64_t take_number(std::int64_t found) {
    std::int64_t number = 0;
    write([&](db::Connection& db) { number = must(Repositories(db).take_number(repository, found)); });
    return number;
  }
  std::optional<std::int64_t> number_of(const Point& point) {
    return read([&](db::Connection& db) { return must(Points(db).get(point.id)).sequence; });
  }
};

TEST_F(Sequence, the_highest_number_is_the_newest_whatever_time_and_id_say) {
  const Point unnumbered = committed_point("t0", 9);
  EXPECT_EQ(latest(), unnumbered.id);
  Point later = begin_point("t2", 1);
  commit_as(later, 8);
  Point earlier = begin_point("t1", 2);
  commit_as(earlier, 7);
  EXPECT_EQ(newest(), later.id);
  EXPECT_EQ(latest(), later.id);
  write([&](db::Connection& db) {
    must(Points(db).set_verified(later.id, {at(3), {}, VerdictResult::bad}));
  });
  EXPECT_EQ(latest(), earlier.id);
}

TEST_F(Sequence, points_and_copies_from_before_the_count_are_numbered_by_the_first_commit) {
  const Point first = committed_point("t1", 1);
  const Copy elsewhere = committed_copy(first);
  const Point second = committed_point("t2", 2, &first);
  EXPECT_EQ(number_of(first), std::nullopt);
  EXPECT_EQ(take_number(0), 3);
  EXPECT_EQ(number_of(first), 1);
  EXPECT_EQ(number_of(second), 2);
  EXPECT_EQ(read([&](db::Connection& db) { return must(Copies(db).get(elsewhere.id)).sequence; }),
            std::nullopt)
      << "the other repository counts for itself";
  EXPECT_EQ(take_number(0), 4);
  EXPECT_EQ(take_number(9), 10) << "the repository has more";
}

TEST_F(Sequence, a_catalog_without_numbers_gives_none_to_points_where_the_repository_has_some) {
  const Point first = committed_point("t1", 1);
  EXPECT_EQ(take_number(5), 6);
  EXPECT_EQ(number_of(first), std::nullopt);
}

TEST_F(Sequence, a_copy_that_becomes_the_point_brings_its_number_and_is_no_newer_for_it) {
  Point old = begin_point("t1", 1);
  commit_as(old, 1);
  const Copy copy = committed_copy(old);
  write([&](db::Connection& db) {
    must(must(db.prepare("UPDATE copies SET sequence = 40 WHERE id = :id")).bind(":id", copy.id).run());
  });
  Point young = begin_point("t2", 2);
  commit_as(young, 2);
  write([&](db::Connection& db) { must(Retention(db).retire(old.id, at(60))); });
  EXPECT_EQ(number_of(old), 40);
  EXPECT_EQ(latest(), young.id);
}

}  // namespace
}  // namespace holdfast
