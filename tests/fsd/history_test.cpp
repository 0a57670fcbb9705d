// Tests of `at` and `diff` over random histories, made straight in a catalog and a repository. The
// independent record is a list of instants, and the bytes that each disk had.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "catalog/catalog.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/pins.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/repository/place.h"
#include "fsd/tree/tree.h"
#include "tests/fsd/layer_files.h"
#include "tests/lib/new_catalog.h"
#include "tests/lib/random.h"
#include "tests/lib/set_clock.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::tree {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::must;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kCluster = 4096;
constexpr std::size_t kSector = 512;
// The number of histories: few in the suite, all with HOLDFAST_LONG.
const int kHistories = static_cast<int>(test::tries(200, 1000));

// A point of the record.
struct Recorded {
  Time at{};
  std::string name;
  bool good = true;
  std::map<std::string, std::vector<char>> disks;
};

struct History {
  Id machine = 0;
  std::string name, key;
  std::vector<Recorded> points;
};

// Makes histories and records them.
class Maker {
 public:
  Maker(const std::string& state, test::Random& random) : state_(state), random_(random) {
    fs::create_directory(state_ + "/scratch");
    fs::create_directory(state_ + "/repository");
    catalog_ = test::open_new_catalog(state_ + "/catalog.sqlite");
    const std::string marker = must(repository::Place::initialise(state_ + "/repository")).id;
    must(catalog_->write([&](db::Connection& db) -> Result<> {
      HF_TRY(const Repository made, Repositories(db).add("r", {}, kBegin));
      repository_ = made.id;
      RepositoryDefinition definition;
      definition.path = state_ + "/repository";
      definition.cluster_size = kCluster;
      HF_CHECK(Repositories(db).define(made.id, definition, kBegin));
      return Repositories(db).set_marker(made.id, marker);
    }));
  }

  // Makes all histories in one transaction, because durability is not tested here.
  std::vector<History> make(int count) {
    return must(catalog_->write([&](db::Connection& db) -> Result<std::vector<History>> {
      std::vector<History> histories;
      for (int i = 0; i < count; ++i) {
        HF_TRY(History history, make_one(db, fmt::format("m{}", i)));
        histories.push_back(std::move(history));
      }
      return histories;
    }));
  }

  static constexpr Time kBegin{std::chrono::days{20'000}};

 private:
  struct OfDisk {
    Id id = 0;
    std::vector<char> bytes;
    std::optional<Layer> newest;
  };

  Result<History> make_one(db::Connection& db, const std::string& name) {
    HF_TRY(const Machine machine, Machines(db).add(name, {}, kBegin));
    MachineDefinition definition;
    definition.driver = "qmp";
    definition.disks = {{"disk-0"}};
    if (random_.below(4) == 0) definition.disks.push_back({"disk-1"});
    HF_CHECK(Machines(db).define(machine.id, definition, kBegin));
    HF_TRY(const auto rows, Machines(db).disks(machine.id));
    std::map<std::string, OfDisk> disks;
    for (const Disk& row : rows) disks[row.name] = {row.id, {}, {}};

    History history{machine.id, name, machine.key, {}};
    fs::create_directory(state_ + "/repository/" + machine.key);
    Time at = kBegin + std::chrono::milliseconds{random_.below(86'400'000)};
    Id parent = 0, chain = 0;
    for (std::uint64_t left = random_.below(5); left > 0; --left) {
      at +=
          std::chrono::milliseconds{random_.below(3) == 0 ? random_.below(2000) : random_.below(200'000'000)};
      const bool full = parent == 0 || random_.below(4) == 0;
      Point point;
      point.id = new_id();
      point.machine_id = machine.id;
      point.repository_id = repository_;
      point.time = at;
      point.name = free_name(history, at);
      point.kind = full ? PointKind::full : PointKind::incremental;
      if (full) point.full_reason = FullReason::requested;
      if (!full) point.parent_point_id = parent;
      point.cluster_size = kCluster;
      if (full) {
        chain = new_id();
        HF_CHECK(Points(db).add_chain({chain, machine.id, repository_, at}));
      }
      point.chain_id = chain;
      fs::create_directory(directory(history, point));
      Recorded recorded{.at = at, .name = point.name, .good = true, .disks = {}};
      std::vector<Layer> layers;
      for (auto& [disk_name, disk] : disks) {
        write_disk(history, point, disk_name, disk);
        PointDisk row;
        row.id = new_id(), row.point_id = point.id, row.disk_id = disk.id, row.name = disk_name;
        row.capacity = disk.bytes.size(), row.kind = point.kind, row.full_reason = point.full_reason;
        row.layer_id = disk.newest->id;
        point.disks.push_back(row);
        layers.push_back(*disk.newest);
        recorded.disks[disk_name] = disk.bytes;
      }
      HF_CHECK(Points(db).add(point));
      HF_CHECK(Points(db).commit(point, layers));
      HF_TRY(recorded.good, judge(db, point));
      history.points.push_back(std::move(recorded));
      parent = point.id;
    }
    return history;
  }

  static std::string free_name(const History& history, Time at) {
    const std::string time = holdfast::point_name(at);
    std::string name = time;
    for (int n = 2; std::ranges::find(history.points, name, &Recorded::name) != history.points.end(); ++n)
      name = fmt::format("{}-{}", time, n);
    return name;
  }

  std::string directory(const History& history, const Point& point) const {
    return fmt::format("{}/repository/{}/{}", state_, history.key, point.name);
  }

  // Changes the disk as guests do: new content, the same content again, zeros, another size. Then writes a
  // layer of the touched clusters.
  void write_disk(const History& history, const Point& point, const std::string& name, OfDisk& disk) {
    const bool full = point.kind == PointKind::full;
    if (full && (disk.bytes.empty() || random_.below(3) == 0))
      disk.bytes.resize((1 + random_.below(64)) * kCluster - random_.below(8) * kSector);
    const std::size_t clusters = divide_up(disk.bytes.size(), kCluster);
    std::vector<bool> touched(clusters, full);
    for (std::uint64_t n = random_.below(8); n > 0; --n) {
      const std::size_t begin = random_.below(clusters),
                        end = std::min(clusters, begin + 1 + random_.below(5));
      const std::uint64_t how = random_.below(4);
      for (std::size_t i = begin; i < end; ++i) {
        touched[i] = true;
        const std::size_t at = i * kCluster, size = std::min(kCluster, disk.bytes.size() - at);
        if (how == 0) std::fill_n(disk.bytes.begin() + static_cast<std::ptrdiff_t>(at), size, '\0');
        if (how == 1) disk.bytes[at + random_.below(size)] ^= static_cast<char>(1 + random_.below(255));
        if (how == 2)
          for (std::size_t k = 0; k < size; ++k) disk.bytes[at + k] = static_cast<char>(random_.below(256));
      }
    }

    Layer layer;
    image::WriterOptions options;
    options.virtual_size = disk.bytes.size();
    options.cluster_size = kCluster;
    options.codec = random_.below(2) == 0 ? image::Codec::zstd : image::Codec::none;
    options.id = image::new_image_id();
    options.compressors = 1;
    if (!full) {
      layer.parent_layer_id = disk.newest->id;
      options.backing_file = "../" + disk.newest->file;
    }
    layer.id = new_id(), layer.chain_id = point.chain_id, layer.disk_id = disk.id;
    layer.file = point.name + "/" + name + ".qcow2";
    layer.image_id = image::hex(options.id);
    layer.file_bytes = test::write_layer(directory(history, point), name, options,
                                         {disk.bytes.data(), disk.bytes.size()}, touched);
    disk.newest = layer;
  }

  // Adds random verdicts of a verification and of people; returns whether the point counts as good.
  Result<bool> judge(db::Connection& db, const Point& point) {
    bool verified_bad = false, called_bad = false;
    if (random_.below(4) == 0) {
      verified_bad = random_.below(2) == 0;
      HF_CHECK(Points(db).set_verified(point.id, {point.time, VerifyLevel::quick,
                                                  verified_bad ? VerdictResult::bad : VerdictResult::good}));
    }
    for (std::uint64_t n = random_.below(3); n > 0; --n) {
      called_bad = random_.below(2) == 0;
      HF_CHECK(Verdicts(db).add({new_id(), point.id, point.time,
                                 called_bad ? VerdictResult::bad : VerdictResult::good, "ann", ""}));
    }
    return !verified_bad && !called_bad;
  }

  const std::string state_;
  test::Random& random_;
  std::unique_ptr<Catalog> catalog_;
  Id repository_ = 0;
};

// Compares a diff with the bytes and returns what is wrong with it, or "". An extent may be as coarse as a
// cluster.
std::string disagreement(const json& disk, const std::vector<char>& a, const std::vector<char>& b) {
  const std::size_t longer = std::max(a.size(), b.size()), shorter = std::min(a.size(), b.size());
  std::vector<bool> named(longer, false);
  std::size_t bytes = 0, end_before = 0;
  for (const json& extent : disk["extents"]) {
    const std::size_t offset = extent["offset"], length = extent["length"];
    if (length == 0 || offset + length > longer) return fmt::format("an extent of {} at {}", length, offset);
    if (bytes > 0 && offset <= end_before) return fmt::format("extents touch at {}", offset);
    std::fill_n(named.begin() + static_cast<std::ptrdiff_t>(offset), length, true);
    end_before = offset + length;
    bytes += length;
  }
  if (disk["bytes"] != bytes || disk["extent_count"] != disk["extents"].size()) return "wrong totals";
  for (std::size_t at = 0; at < longer; at += kCluster) {
    const std::size_t end = std::min(at + kCluster, longer);
    bool differs = false;
    for (std::size_t i = at; i < end; ++i) {
      const bool here = i >= shorter || a[i] != b[i];
      if (here && !named[i]) return fmt::format("byte {} differs, and is not named", i);
      differs |= here;
    }
    for (std::size_t i = at; i < end && !differs; ++i)
      if (named[i]) return fmt::format("byte {} is named, and its cluster is the same", i);
  }
  return "";
}

// Writes the instant in a random form, and sets it to the last millisecond that the form covers.
std::string written(Time& when, Time now, test::Random& random) {
  using std::chrono::floor;
  const auto iso = [](Time time, const char* format) {
    const std::time_t seconds = floor<std::chrono::seconds>(time).time_since_epoch().count();
    char text[40];
    return std::string(text, std::strftime(text, sizeof text, format, std::gmtime(&seconds)));
  };
  const Time instant = when;
  const auto last_of = [&](auto unit) {
    return floor<decltype(unit)>(instant) + unit - std::chrono::milliseconds{1};
  };
  switch (random.below(8)) {
    case 0: when = last_of(std::chrono::seconds{1}); return iso(instant, "%Y-%m-%dT%H:%M:%S");
    case 1: when = last_of(std::chrono::minutes{1}); return iso(instant, "%Y-%m-%dT%H:%MZ");
    case 2: when = last_of(std::chrono::days{1}); return iso(instant, "%F");
    case 3: when = last_of(std::chrono::seconds{1}); return iso(instant, "%Y-%m-%dT%H-%M-%SZ");
    case 4:  // clocks east of Greenwich are ahead of UTC
      when = last_of(std::chrono::minutes{1});
      return iso(instant + std::chrono::hours{5} + std::chrono::minutes{30}, "%Y-%m-%dT%H:%M+05:30");
    case 5:
      when = last_of(std::chrono::seconds{1});
      return iso(instant - std::chrono::hours{8}, "%Y-%m-%dT%H:%M:%S-08");
    case 6: {
      const auto ago = floor<std::chrono::seconds>(now - instant);
      when = now - ago;
      return fmt::format("{}s-ago", ago.count());
    }
    default: {
      const auto ago = floor<std::chrono::hours>(now - instant);
      when = now - ago;
      return fmt::format("{}h-ago", ago.count());
    }
  }
}

class HistoryTest : public testing::Test {
 protected:
  void begin(int histories) {
    histories_ = Maker(state_.path(), random_).make(histories);
    engine_ = must(Engine::start({.state = state_.path(), .clock = &clock_}));
    tree_ = std::make_unique<Tree>(*engine_, clock_);
  }
  ~HistoryTest() override {
    if (engine_) engine_->stop();
  }

  Result<TreeNode> find(const std::vector<std::string>& names) {
    TreeNode node = Tree::root();
    for (const std::string& name : names) {
      HF_TRY(node, tree_->lookup(node, name, {}));
    }
    return node;
  }
  Result<std::string> read(const std::vector<std::string>& names) {
    HF_TRY(const TreeNode node, find(names));
    HF_TRY(const auto file, tree_->open(node, {.read = true}, {}));
    HF_TRY(const Attributes attributes, tree_->attributes(node, {}));
    Bytes text(attributes.size + 1);
    HF_TRY(const std::size_t length, file->read(0, text));
    return std::string(reinterpret_cast<const char*>(text.data()), length);
  }

  // Returns the name of the point that `at` finds, or "" after checking the sentence in `error`.
  std::string at(const History& history, const std::string& when) {
    const auto link = find({"machines", history.name, "at", when});
    if (link) {
      const std::string target = must(tree_->link_target(*link));
      EXPECT_THAT(target, StartsWith("../points/"));
      return target.substr(10);
    }
    EXPECT_EQ(link.error().code, ENOENT) << link.error().message;
    EXPECT_THAT(must(read({"machines", history.name, "error"})),
                HasSubstr("ENOENT: machine '" + history.name + "' has no good point that is not later than"));
    return "";
  }

  test::TemporaryDirectory state_;
  test::Random random_;
  test::SetClock clock_{Maker::kBegin + std::chrono::days{30} + std::chrono::milliseconds{77}};
  std::vector<History> histories_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Tree> tree_;
};

TEST_F(HistoryTest, at_finds_the_point_that_the_record_names) {
  begin(kHistories);
  int found = 0, none = 0;
  for (const History& history : histories_) {
    for (int i = 0; i < 5; ++i) {
      // Half of the instants are near a point.
      Time when = Maker::kBegin + std::chrono::milliseconds{random_.below(86'400'000ULL * 12)};
      if (!history.points.empty() && random_.below(2) == 0)
        when = history.points[random_.below(history.points.size())].at +
               std::chrono::milliseconds{random_.below(3)} - std::chrono::milliseconds{1};
      const std::string text = written(when, clock_.now(), random_);
      const Recorded* newest = nullptr;
      for (const Recorded& point : history.points)
        if (point.good && point.at <= when && (newest == nullptr || point.at >= newest->at)) newest = &point;
      ASSERT_EQ(at(history, text), newest == nullptr ? "" : newest->name) << history.name << "/at/" << text;
      ++(newest == nullptr ? none : found);
    }
  }
  EXPECT_GT(found, kHistories / 2);
  EXPECT_GT(none, kHistories / 2);
}

TEST_F(HistoryTest, diff_names_every_different_byte_and_no_equal_cluster) {
  begin(kHistories);
  int compared = 0;
  for (const History& history : histories_) {
    if (history.points.empty()) continue;
    const Recorded& a = history.points[random_.below(history.points.size())];
    const Recorded& b = history.points[random_.below(history.points.size())];
    const json diff = json::parse(must(read({"machines", history.name, "diff", a.name + ".." + b.name})));
    ASSERT_EQ(diff["from"], a.name);
    ASSERT_EQ(diff["to"], b.name);
    ASSERT_EQ(diff["disks"].size(), a.disks.size());
    std::uint64_t bytes = 0;
    for (const json& disk : diff["disks"]) {
      const std::string name = disk["name"];
      ASSERT_EQ(disagreement(disk, a.disks.at(name), b.disks.at(name)), "")
          << history.name << " " << a.name << ".." << b.name << " " << name;
      bytes += disk["bytes"].get<std::uint64_t>();
    }
    ASSERT_EQ(diff["totals"]["bytes"], bytes);
    ++compared;
  }
  EXPECT_GT(compared, kHistories / 2);
}

TEST_F(HistoryTest, a_wrong_record_is_noticed) {
  begin(20);
  const auto with_points =
      std::ranges::find_if(histories_, [](const History& h) { return h.points.size() > 1; });
  ASSERT_NE(with_points, histories_.end());
  const Recorded& a = with_points->points.front();
  const json diff = json::parse(must(read({"machines", with_points->name, "diff", a.name + ".." + a.name})));
  std::vector<char> forged = a.disks.at("disk-0");
  EXPECT_EQ(disagreement(diff["disks"][0], a.disks.at("disk-0"), forged), "");
  forged[forged.size() / 2] ^= 1;
  EXPECT_THAT(disagreement(diff["disks"][0], a.disks.at("disk-0"), forged), HasSubstr("and is not named"));
}

TEST_F(HistoryTest, a_missing_point_on_either_side_is_enoent) {
  begin(20);
  const auto with_points =
      std::ranges::find_if(histories_, [](const History& h) { return !h.points.empty(); });
  ASSERT_NE(with_points, histories_.end());
  const std::string& point = with_points->points.front().name;
  const auto refusal = [&](const std::string& name) {
    const auto found = find({"machines", with_points->name, "diff", name});
    return found ? 0 : found.error().code;
  };
  EXPECT_EQ(refusal("nowhere.." + point), ENOENT);
  EXPECT_THAT(must(read({"machines", with_points->name, "error"})),
              HasSubstr("look up diff/nowhere.." + point + ": ENOENT: there is no point 'nowhere'"));
  EXPECT_EQ(refusal(point + "..1971-01-01"), ENOENT);
  EXPECT_EQ(refusal(point), EINVAL);
}

TEST_F(HistoryTest, a_diff_ends_with_eintr_when_nobody_waits) {
  begin(20);
  const auto with_points =
      std::ranges::find_if(histories_, [](const History& h) { return !h.points.empty(); });
  ASSERT_NE(with_points, histories_.end());
  const std::string& point = with_points->points.front().name;
  const TreeNode node = must(find({"machines", with_points->name, "diff", point + ".." + point}));
  EXPECT_EQ(tree_->attributes(node, {}, [] { return true; }).error().code, EINTR);
  EXPECT_TRUE(tree_->attributes(node, {}));
}

}  // namespace
}  // namespace holdfast::tree
