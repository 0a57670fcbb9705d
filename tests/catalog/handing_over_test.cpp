// A copy becomes the point when the files go that the point was made of.
#include "tests/catalog/copies_fixture.h"

namespace holdfast {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class HandingOver : public CopiesTest {
 protected:
  void retire(const Point& point) {
    write([&](db::Connection& db) { must(Retention(db).retire(point.id, at(60))); });
  }
  Point now(const Point& point) {
    return read([&](db::Connection& db) { return must(Points(db).get(point.id)); });
  }
  Points::Total total() {
    return read([&](db::Connection& db) { return must(Points(db).of_machine(machine)); });
  }
  std::vector<Copy> copies(const Point& point) {
    return read([&](db::Connection& db) { return must(Copies(db).of_point(point.id)); });
  }
  // Removes all layers from a repository that may go.
  void forget_all(Id of) {
    write([&](db::Connection& db) {
      Retention retention(db);
      auto layers = must(retention.layers(machine, of));
      for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer)
        if (!layer->shown) must(retention.forget_layer(layer->id, at(70)));
      for (const auto& gone : must(retention.retired(machine, of)))
        must(gone.is_copy ? retention.forget_copy(gone.id) : retention.forget(gone.id));
    });
  }
};

TEST_F(HandingOver, a_point_stays_under_its_name_as_its_copy) {
  const Point full = committed_point("t1", 1);
  const Point increment = committed_point("t2", 2, &full);
  const Copy below = committed_copy(full);
  const Copy above = committed_copy(increment, &below);
  retire(increment);
  const Point after = now(increment);
  EXPECT_EQ(after.state, PointState::committed);
  EXPECT_EQ(after.name, "t2");
  EXPECT_TRUE(after.carried);
  EXPECT_EQ(after.repository_id, offsite);
  EXPECT_EQ(after.chain_id, above.chain_id);
  EXPECT_EQ(after.parent_point_id, full.id) << "whose copy it rests on there";
  EXPECT_EQ(after.bytes_stored, above.bytes_stored);
  EXPECT_EQ(after.verified, (Point::Verification{at(50), VerifyLevel::checksums, VerdictResult::good}));
  ASSERT_EQ(after.disks.size(), 2u);
  EXPECT_EQ(after.disks[0].id, increment.disks[0].id);
  EXPECT_EQ(after.disks[0].layer_id, above.disks[0].layer_id);
  EXPECT_EQ(after.disks[0].change_id, "") << "no capture takes up from it";
  EXPECT_THAT(copies(increment), IsEmpty());
  read([&](db::Connection& db) {
    EXPECT_EQ(must(Points(db).newest(machine, offsite)), std::nullopt);
    EXPECT_EQ(must(Points(db).newest(machine, repository))->id, full.id);
  });
}

TEST_F(HandingOver, a_full_that_was_merged_for_its_copy_rests_on_nothing_there) {
  const Point full = committed_point("t1", 1);
  const Point increment = committed_point("t2", 2, &full);
  committed_copy(increment);
  retire(increment);
  const Point after = now(increment);
  EXPECT_EQ(after.kind, PointKind::full);
  EXPECT_EQ(after.full_reason, FullReason::no_parent);
  EXPECT_EQ(after.disks[1].kind, PointKind::full);
  EXPECT_EQ(after.parent_point_id, std::nullopt);
}

TEST_F(HandingOver, counters_say_what_lies_where_until_it_has_gone) {
  const Point point = committed_point("t1", 1);
  committed_copy(point);
  EXPECT_EQ(total().bytes_stored, 1000u);
  retire(point);
  EXPECT_EQ(total().points, 1);
  EXPECT_EQ(total().bytes_stored, 70u);
  EXPECT_EQ(usage_of(repository).points, 0);
  EXPECT_EQ(usage_of(repository).bytes_stored, 1000u) << "its files are there still";
  EXPECT_EQ(usage().points, 1);
  EXPECT_EQ(usage().bytes_stored, 70u);
  forget_all(repository);
  EXPECT_EQ(usage_of(repository).bytes_stored, 0u);
  EXPECT_EQ(total().bytes_stored, 70u);
  retire(point);
  forget_all(offsite);
  EXPECT_EQ(usage().points, 0);
  EXPECT_EQ(usage().bytes_stored, 0u);
  EXPECT_EQ(total().points, 0);
  EXPECT_EQ(refused([&](db::Connection& db) { return Points(db).get(point.id); }).code, ENOENT);
}

TEST_F(HandingOver, a_damaged_copy_inherits_last) {
  const Point point = committed_point("t1", 1);
  const Copy damaged = committed_copy(point);
  offsite = write([](db::Connection& db) { return must(Repositories(db).add("third", {}, at(0))).id; });
  committed_copy(point);
  write([&](db::Connection& db) { must(Copies(db).set_damaged(damaged.id, true)); });
  retire(point);
  EXPECT_EQ(now(point).repository_id, offsite);
  retire(point);
  EXPECT_EQ(now(point).repository_id, damaged.repository_id);
  EXPECT_EQ(now(point).verified->result, VerdictResult::bad);
}

TEST_F(HandingOver, a_point_that_has_gone_is_forgotten_with_the_last_of_its_copies) {
  const Point point = committed_point("t1", 1);
  committed_copy(point);
  write([&](db::Connection& db) { must(Retention(db).retire_altogether(point.id, at(60))); });
  EXPECT_THAT(read([&](db::Connection& db) { return must(Points(db).list(machine)); }), IsEmpty());
  forget_all(repository);
  EXPECT_EQ(now(point).state, PointState::retired);
  forget_all(offsite);
  EXPECT_EQ(refused([&](db::Connection& db) { return Points(db).get(point.id); }).code, ENOENT);
}

TEST_F(HandingOver, the_layers_below_an_increment_stay_where_they_were) {
  const Point full = committed_point("t1", 1);
  const Point increment = committed_point("t2", 2, &full);
  committed_copy(full);
  retire(full);
  const auto layers = [&](Id of) {
    return read([&](db::Connection& db) { return must(Retention(db).layers(machine, of)); });
  };
  std::vector<bool> shown;
  for (const auto& layer : layers(repository)) shown.push_back(layer.shown);
  EXPECT_THAT(shown, ElementsAre(false, false, true, true));
  EXPECT_EQ(refused([&](db::Connection& db) {
              return Retention(db).forget_layer(full.disks[0].layer_id, at(70));
            }).code,
            EBUSY);
  read([&](db::Connection& db) {
    const auto going = must(Copies(db).going(machine, repository));
    ASSERT_EQ(going.size(), 1u);
    EXPECT_EQ(going[0].point, full.id);
    EXPECT_EQ(going[0].disks[0].layer, full.disks[0].layer_id);
    EXPECT_THAT(must(Copies(db).going(machine, offsite)), IsEmpty());
  });
}

}  // namespace
}  // namespace holdfast
