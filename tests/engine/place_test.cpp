#include "engine/repository/place.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>

#include "engine/image/writer.h"
#include "engine/repository/draft.h"
#include "engine/repository/shelf.h"
#include "tests/lib/memory_directory.h"

namespace holdfast::repository {
namespace {

namespace fs = std::filesystem;

class PlaceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "holdfast-place-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  void TearDown() override { fs::remove_all(path_); }

  std::string path_;
};

TEST_F(PlaceTest, an_empty_directory_becomes_a_repository_and_is_recognised_again) {
  const auto made = Place::initialise(path_);
  ASSERT_TRUE(made) << made.error().message;
  const auto again = Place::initialise(path_);
  ASSERT_TRUE(again);
  EXPECT_EQ(made->id, again->id);
  EXPECT_TRUE(fs::exists(path_ + "/INDEX.txt"));
  EXPECT_TRUE(Place::open(path_, made->id));
}

TEST_F(PlaceTest, what_made_a_repository_can_be_taken_back_and_what_recognised_one_can_not) {
  const auto made = Place::initialise(path_).value();
  ASSERT_TRUE(Place::undo_initialise(path_, Place::initialise(path_).value()));
  EXPECT_TRUE(fs::exists(path_ + "/holdfast.json"));
  ASSERT_TRUE(Place::undo_initialise(path_, made));
  EXPECT_TRUE(fs::is_empty(path_));
}

TEST_F(PlaceTest, a_directory_with_other_data_is_refused_and_left_unchanged) {
  std::ofstream(path_ + "/thesis.tex") << "x";
  const auto made = Place::initialise(path_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, EINVAL);
  EXPECT_NE(made.error().message.find("thesis.tex"), std::string::npos);
  EXPECT_EQ(std::distance(fs::directory_iterator(path_), fs::directory_iterator()), 1);
}

TEST_F(PlaceTest, a_directory_that_is_no_longer_at_its_path_is_not_the_repository) {
  const auto made = Place::initialise(path_);
  const auto place = Place::open(path_, made->id);
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_TRUE((*place)->check());
  const std::string away = path_ + "-away";
  fs::rename(path_, away);
  EXPECT_FALSE((*place)->check()) << "nothing is there";
  fs::create_directory(path_);
  const auto other = (*place)->check();
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, EIO);
  EXPECT_NE(other.error().message.find("another directory"), std::string::npos) << other.error().message;
  fs::remove(path_);
  fs::rename(away, path_);
  EXPECT_TRUE((*place)->check());
}

TEST_F(PlaceTest, an_initialisation_that_was_killed_is_completed) {
  std::ofstream(path_ + "/INDEX.txt") << "";
  std::ofstream(path_ + "/holdfast.json.new") << "{";
  EXPECT_TRUE(Place::initialise(path_));
}

TEST_F(PlaceTest, a_missing_marker_is_an_error_and_nothing_is_initialised) {
  const std::string marker = Place::initialise(path_)->id;
  fs::remove(path_ + "/holdfast.json");
  const auto opened = Place::open(path_, marker);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, EIO);
  EXPECT_FALSE(fs::exists(path_ + "/holdfast.json"));
}

TEST_F(PlaceTest, another_repository_at_the_same_path_is_refused) {
  ASSERT_TRUE(Place::initialise(path_));
  const auto opened = Place::open(path_, "00000000");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, EIO);
}

TEST_F(PlaceTest, a_marker_of_a_newer_format_is_refused) {
  std::ofstream(path_ + "/holdfast.json") << R"({"id":"abcd","format":2})";
  const auto made = Place::initialise(path_);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("newer"), std::string::npos);
}

TEST_F(PlaceTest, a_missing_stored_file_is_damage_and_one_that_cannot_be_opened_is_not) {
  test::MemoryDirectory directory;
  const Error missing = open_stored(directory, "disk.qcow2").error();
  EXPECT_EQ(missing.code, ENOENT);
  EXPECT_TRUE(missing.damage);
  ASSERT_TRUE(directory.create("disk.qcow2"));
  directory.fail_opens_with(EMFILE);
  const Error unreadable = open_stored(directory, "disk.qcow2").error();
  EXPECT_EQ(unreadable.code, EMFILE);
  EXPECT_FALSE(unreadable.damage);
}

TEST_F(PlaceTest, one_opener_may_write_and_a_second_may_only_read) {
  const std::string marker = Place::initialise(path_)->id;
  const auto first = Place::open(path_, marker);
  ASSERT_TRUE(first);
  EXPECT_TRUE((*first)->may_write());
  const auto second = Place::open(path_, marker);
  ASSERT_TRUE(second);
  ASSERT_FALSE((*second)->may_write());
  EXPECT_EQ((*second)->may_write().error().code, EBUSY);
}

TEST_F(PlaceTest, closing_a_repository_ends_its_lease) {
  const std::string marker = Place::initialise(path_)->id;
  { const auto first = Place::open(path_, marker); }
  const auto second = Place::open(path_, marker);
  ASSERT_TRUE(second);
  EXPECT_TRUE((*second)->may_write());
}

// Law 12.
TEST_F(PlaceTest, a_place_that_has_lost_its_lease_changes_nothing_and_reads_on) {
  const auto place = *Place::open(path_, Place::initialise(path_)->id);
  Directory& directory = place->directory();
  ASSERT_TRUE(directory.make_directory("m"));
  ASSERT_TRUE(write_new_file(directory, "m/kept", "text"));
  const std::string others =
      R"({"owner":"holdfastd, process 7","host":"elsewhere","time":"2026-11-20T02:00:00Z","token":"0123"})";
  ASSERT_TRUE(replace_file(directory, ".lease", others));
  for (const auto& changed :
       {place->may_write(), directory.make_directory("n"), directory.rename("m", "n"),
        directory.remove("m/kept"), directory.create("m/new").map([](const auto&) {}),
        directory.open("m/kept", Access::write).map([](const auto&) {}), place->check_room(0),
        place->discard("m", "kept", Place::Publisher::this_life)}) {
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().code, EBUSY);
    EXPECT_NE(changed.error().message.find("holdfastd, process 7, at host elsewhere"), std::string::npos)
        << changed.error().message;
  }
  EXPECT_EQ(read_small_file(directory, "m/kept").value(), "text");
}

TEST_F(PlaceTest, a_place_opened_to_be_read_takes_no_lease_and_changes_nothing) {
  const std::string marker = Place::initialise(path_)->id;
  const auto reading = *Place::open(path_, marker, Taking::nothing);
  EXPECT_FALSE(fs::exists(path_ + "/.lease"));
  EXPECT_EQ(reading->directory().make_directory("m").error().code, EROFS);
  EXPECT_TRUE((*Place::open(path_, marker))->may_write());
}

TEST_F(PlaceTest, a_shelf_notices_a_removed_marker) {
  Repository repository;
  repository.id = 1;
  repository.marker = Place::initialise(path_)->id;
  repository.definition.path = path_;
  Shelf shelf;
  ASSERT_TRUE(shelf.place(repository));
  fs::remove(path_ + "/holdfast.json");
  const auto gone = shelf.place(repository);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, EIO);
}

TEST_F(PlaceTest, a_draft_is_no_point_until_published_and_can_be_discarded_in_both_states) {
  const std::shared_ptr<Place> place = *Place::open(path_, Place::initialise(path_)->id);
  const std::string directory = path_ + "/m-1234/2026-11-20T02-00-00Z";
  auto draft = Draft::create(place, "m-1234", "2026-11-20T02-00-00Z");
  ASSERT_TRUE(draft);
  ASSERT_TRUE(draft->create_disk("disk-0", "aa"));
  EXPECT_TRUE(fs::exists(directory + ".partial/disk-0.qcow2"));
  EXPECT_FALSE(fs::exists(directory));

  ASSERT_TRUE(draft->publish(Point{}, ManifestNames{}, {}));
  EXPECT_FALSE(fs::exists(directory + ".partial"));
  EXPECT_TRUE(fs::exists(directory + "/manifest.json"));
  EXPECT_TRUE(fs::exists(directory + "/RESTORE.txt"));

  const auto discard = [&] {
    return place->discard("m-1234", "2026-11-20T02-00-00Z", Place::Publisher::this_life);
  };
  ASSERT_TRUE(discard());
  EXPECT_FALSE(fs::exists(directory));
  EXPECT_TRUE(discard()) << "a second time finds nothing, and is fine";
}

// The catalog may be an older copy of one that has committed the point.
TEST_F(PlaceTest, a_published_point_of_an_earlier_life_is_set_aside_or_stays) {
  const std::shared_ptr<Place> place = *Place::open(path_, Place::initialise(path_)->id);
  for (const std::string name : {"told", "parent", "child", "alone"}) {
    auto draft = Draft::create(place, "m-1234", name);
    ASSERT_TRUE(draft);
    ASSERT_TRUE(draft->publish(Point{}, ManifestNames{.parent = name == "child" ? "parent" : ""}, {}));
  }
  ASSERT_TRUE(replace_file(place->directory(), "m-1234/told/facts.json", "{}"));
  for (const std::string name : {"told", "parent", "alone"})
    ASSERT_TRUE(place->discard("m-1234", name, Place::Publisher::unknown));
  EXPECT_TRUE(fs::exists(path_ + "/m-1234/told/manifest.json"));
  EXPECT_TRUE(fs::exists(path_ + "/m-1234/parent/manifest.json"));
  EXPECT_TRUE(fs::exists(path_ + "/m-1234/alone.aside/manifest.json"));
  EXPECT_FALSE(fs::exists(path_ + "/m-1234/alone"));

  Asides after_a_start;
  ASSERT_TRUE(after_a_start.look(place->directory()));
  for (const Asides* asides : {place->asides().get(), &after_a_start}) {
    ASSERT_EQ(asides->known().size(), 1u);
    EXPECT_EQ(asides->known().front().path, "m-1234/alone.aside");
  }
  fs::remove_all(path_ + "/m-1234/alone.aside");
  ASSERT_TRUE(after_a_start.look(place->directory()));
  EXPECT_TRUE(after_a_start.known().empty()) << "a person has deleted it";
}

// The limit stands for a full file system.
TEST_F(PlaceTest, a_place_whose_lease_can_not_be_written_leaves_it_to_others) {
  const auto marker = Place::initialise(path_);
  ASSERT_TRUE(marker);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit nothing{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &nothing);
  const auto full = Place::open(path_, marker->id);
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  ASSERT_TRUE(full);
  EXPECT_FALSE((*full)->may_write());
  const auto other = Place::open(path_, marker->id);
  ASSERT_TRUE(other);
  EXPECT_TRUE((*other)->may_write());
}

// The clock may be set back between the two.
TEST_F(PlaceTest, points_of_one_name_lie_aside_beside_each_other) {
  const std::shared_ptr<Place> place = *Place::open(path_, Place::initialise(path_)->id);
  for (int turn = 0; turn < 2; ++turn) {
    auto draft = Draft::create(place, "m-1234", "alone");
    ASSERT_TRUE(draft);
    ASSERT_TRUE(draft->publish(Point{}, ManifestNames{}, {}));
    ASSERT_TRUE(place->discard("m-1234", "alone", Place::Publisher::unknown));
  }
  EXPECT_TRUE(fs::exists(path_ + "/m-1234/alone.aside/manifest.json"));
  EXPECT_TRUE(fs::exists(path_ + "/m-1234/alone-2.aside/manifest.json"));
  EXPECT_EQ(place->asides()->known().size(), 2u);
}

// Writes an image of one cluster, full of that byte, and its sums. The id is always the same.
Layer write_layer(Place& place, std::byte filler) {
  image::WriterOptions options;
  options.virtual_size = options.cluster_size;
  Layer layer;
  layer.file = "T/disk-0.qcow2";
  layer.image_id = image::hex(options.id);
  const auto paths = Place::paths_of("m-1234", layer);
  for (const auto& path : {paths.image, paths.sums}) static_cast<void>(place.directory().remove(path));
  const auto image = place.directory().create(paths.image).value();
  const auto sums = place.directory().create(paths.sums).value();
  const auto writer = image::Writer::create(*image, *sums, options).value();
  EXPECT_TRUE(writer->write(0, Bytes(options.cluster_size, filler)));
  EXPECT_TRUE(writer->finish_segment(0));
  const auto written = writer->finish().value();
  layer.file_bytes = written.file_bytes;
  layer.sums_sha256 = written.sums_sha256;
  return layer;
}

TEST_F(PlaceTest, an_image_made_anew_with_its_sums_is_damage) {
  const std::shared_ptr<Place> place = *Place::open(path_, Place::initialise(path_)->id);
  ASSERT_TRUE(place->directory().make_directory("m-1234"));
  ASSERT_TRUE(place->directory().make_directory("m-1234/T"));
  Layer recorded = write_layer(*place, std::byte{1});
  EXPECT_TRUE(place->open_stack("m-1234", {recorded}));
  write_layer(*place, std::byte{2});
  const auto forged = place->open_stack("m-1234", {recorded});
  ASSERT_FALSE(forged);
  EXPECT_EQ(forged.error().code, EIO);
  EXPECT_TRUE(forged.error().damage);
  EXPECT_NE(forged.error().message.find("not the checksums that were written"), std::string::npos);
  recorded.sums_sha256.clear();
  EXPECT_TRUE(place->open_stack("m-1234", {recorded})) << "nothing else tells";
}

}  // namespace
}  // namespace holdfast::repository
