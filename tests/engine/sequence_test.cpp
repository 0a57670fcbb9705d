// Law 21: a repository counts its commits, and a catalog that lacks some of them is known for it.
#include "engine/repository/sequence.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "catalog/stores/definition_changes.h"
#include "catalog/stores/repositories.h"
#include "tests/engine/engine_room.h"

namespace holdfast::repository {
namespace {

namespace fs = std::filesystem;

class SequenceTest : public testing::Test, protected test::EngineRoom {
 protected:
  SequenceTest() {
    fs::create_directory(path_);
    const auto marker = Place::initialise(path_);
    id_ = *catalog_->write([&](db::Connection& db) -> Result<Id> {
      HF_TRY(const Repository repository, Repositories(db).add("r", {}, test::kNow));
      HF_CHECK(Repositories(db).define(repository.id, {.path = path_}, test::kNow));
      HF_CHECK(Repositories(db).set_marker(repository.id, marker->id));
      return repository.id;
    });
    place_ = *Place::open(path_, marker->id);
  }

  Repository repository() {
    return *catalog_->read([&](db::Connection& db) { return Repositories(db).get(id_); });
  }
  void write_sequence(const std::string& catalog, std::int64_t commits) {
    std::ofstream(path_ + "/sequence.json")
        << fmt::format(R"({{"catalog":"{}","commits":{}}})", catalog, commits);
  }
  std::string key() {
    return *catalog_->read([](db::Connection& db) { return DefinitionChanges(db).catalog_key(); });
  }
  int checked() {
    const auto known = check_known(*catalog_, *place_, id_);
    return known ? 0 : known.error().code;
  }

  const std::string path_ = state_ / "repository";
  std::shared_ptr<Place> place_;
  Id id_ = 0;
};

TEST_F(SequenceTest, each_number_is_the_next_one) {
  EXPECT_EQ(checked(), 0);
  EXPECT_EQ(*take_number(*catalog_, *place_, id_), 1);
  EXPECT_EQ(*take_number(*catalog_, *place_, id_), 2);
  EXPECT_EQ(repository().commits, 2);
  EXPECT_EQ(checked(), 0);
}

TEST_F(SequenceTest, a_number_that_only_the_catalog_knows_is_skipped) {
  ASSERT_TRUE(take_number(*catalog_, *place_, id_));
  ASSERT_TRUE(catalog_->write([&](db::Connection& db) { return Repositories(db).take_number(id_, 1); }));
  EXPECT_EQ(checked(), 0) << "killed between catalog and repository";
  EXPECT_EQ(*take_number(*catalog_, *place_, id_), 3);
}

TEST_F(SequenceTest, a_catalog_that_lacks_commits_stays_known_for_it) {
  ASSERT_TRUE(take_number(*catalog_, *place_, id_));
  write_sequence(key(), 7);
  EXPECT_EQ(checked(), EROFS);
  EXPECT_EQ(repository().missed_commits, 7);
  EXPECT_EQ(*take_number(*catalog_, *place_, id_), 8) << "points may be added";
  EXPECT_EQ(checked(), EROFS);
}

// A run may be the first to ask for a repository that was away.
TEST_F(SequenceTest, a_number_that_is_taken_first_hides_no_missed_commits) {
  ASSERT_TRUE(take_number(*catalog_, *place_, id_));
  write_sequence(key(), 7);
  EXPECT_EQ(*take_number(*catalog_, *place_, id_), 8);
  EXPECT_EQ(repository().missed_commits, 7);
  EXPECT_EQ(checked(), EROFS);
}

TEST_F(SequenceTest, an_adopted_repository_belongs_to_the_catalog_that_has_read_it) {
  write_sequence("another", 7);
  EXPECT_EQ(checked(), EROFS);
  ASSERT_TRUE(adopt(*catalog_, *place_, id_, 5));
  EXPECT_EQ(checked(), 0);
  EXPECT_EQ(*take_number(*catalog_, *place_, id_), 8);
}

TEST_F(SequenceTest, another_catalog_lacks_all_commits) {
  write_sequence("another", 1);
  EXPECT_EQ(checked(), EROFS);
}

TEST_F(SequenceTest, a_repository_older_than_the_count_shows_its_writer_by_the_definitions) {
  fs::create_directory(path_ + "/definitions");
  std::ofstream(path_ + "/definitions/revision") << R"({"catalog":"another","revision":5})";
  EXPECT_EQ(checked(), EROFS);
}

TEST_F(SequenceTest, a_count_that_can_not_be_read_is_no_permission) {
  std::ofstream(path_ + "/sequence.json") << "damaged";
  EXPECT_EQ(checked(), EIO);
  EXPECT_FALSE(take_number(*catalog_, *place_, id_));
}

TEST_F(SequenceTest, files_of_a_newer_catalog_are_neither_removed_nor_renamed_but_for_unfinished_ones) {
  fs::create_directories(path_ + "/m-1234/2026-11-20T02-00-00Z");
  fs::create_directories(path_ + "/m-1234/2026-11-21T02-00-00Z.partial");
  for (const char* name : {"2026-11-20T02-00-00Z", "2026-11-21T02-00-00Z"})
    ASSERT_TRUE(place_->discard("m-1234", name, Place::Publisher::newer_catalog));
  EXPECT_TRUE(fs::exists(path_ + "/m-1234/2026-11-20T02-00-00Z"));
  EXPECT_TRUE(fs::exists(path_ + "/m-1234/2026-11-21T02-00-00Z.partial.aside"));
}

}  // namespace
}  // namespace holdfast::repository
