// Laws 2, 3, 4, 6, 8, 11, 12, 13, 14 and 16, as the simulation sees them kept.
#include "tests/simulation/judge.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/simulation/images.h"
#include "tests/simulation/life.h"
#include "tests/simulation/threads.h"

namespace holdfast::simulation {
namespace {

constexpr std::string_view kPoints = R"sql(
  SELECT p.id, m.name, r.name, m.key, p.name, coalesce(p.flow, ''), d.id, d.name, coalesce(d.change_id, ''),
         (SELECT group_concat(cr.name) FROM copies c JOIN repositories cr ON cr.id = c.repository_id
           WHERE c.point_id = p.id AND c.state = 'committed'),
         EXISTS (SELECT 1 FROM pins WHERE pins.point_id = p.id)
    FROM points p JOIN machines m ON m.id = p.machine_id JOIN repositories r ON r.id = p.repository_id
    JOIN point_disks d ON d.point_id = p.id
   WHERE p.state = 'committed' ORDER BY p.id, d.name)sql";

constexpr std::string_view kUnfinished = R"sql(
  SELECT (SELECT count(*) FROM executions WHERE status IN ('pending', 'running')) +
         (SELECT count(*) FROM jobs WHERE status IN ('pending', 'running')))sql";

// Copies that the next run goes on with: their data stays.
constexpr std::string_view kBegun = R"sql(
  SELECT r.name, m.key, p.name FROM copies c JOIN repositories r ON r.id = c.repository_id
    JOIN machines m ON m.id = c.machine_id JOIN points p ON p.id = c.point_id WHERE c.state = 'writing')sql";

// Time for what a trouble has held up.
constexpr std::int64_t kSoon = 15 * 60 * std::int64_t{1'000'000'000};

std::size_t number_in(const std::string& name) { return static_cast<std::size_t>(name.back() - '0'); }

std::string root(std::size_t repository) { return std::string(storage::kRoots[1 + repository]); }

// Returns the first block in which the bytes are not the content; -1 if they are.
int difference(const Bytes& bytes, const Content& content) {
  if (bytes.size() != content.blocks * kBlock) return static_cast<int>(content.blocks);
  Bytes expected(kBlock);
  for (unsigned block = 0; block < content.blocks; ++block) {
    fill(expected, content.writes[block]);
    if (std::memcmp(bytes.data() + block * kBlock, expected.data(), kBlock) != 0)
      return static_cast<int>(block);
  }
  return -1;
}

// Names the writes of a block that is not as it was.
std::string of_writes(const Bytes& bytes, const Content& content, int block) {
  const auto number = static_cast<unsigned>(block);
  if (number >= content.blocks) return fmt::format("{} bytes, not {}", bytes.size(), content.blocks * kBlock);
  return fmt::format("write {}, not {}", write_in(ByteView{bytes}.subspan(number * kBlock, kBlock)),
                     content.writes[number]);
}

}  // namespace

void find(const std::string& what) {
  world().finding.set(what);
  ::_exit(kFound);
}

Seen* Judge::seen(Id point) {
  for (std::size_t i = 0; i < world().points; ++i)
    if (world().seen[i].id == point) return &world().seen[i];
  return nullptr;
}

// Returns false if the catalog can't be asked now.
bool Judge::ask_catalog() {
  const storage::Outside past;
  const auto asked = [&]() -> db::Result<> {
    if (!connection_) {
      HF_TRY(connection_, db::Connection::open("/mnt/state/catalog.sqlite", db::Mode::read_only));
    }
    HF_TRY(auto row, connection_->prepare(kPoints));
    std::vector<Listed> points;
    for (;;) {
      HF_TRY(const bool there, row.step());
      if (!there) break;
      if (points.empty() || points.back().id != row.integer(0)) {
        Listed& point = points.emplace_back();
        point.id = row.integer(0);
        point.machine = number_in(row.text(1));
        point.repository = number_in(row.text(2));
        point.key = row.text(3);
        point.name = row.text(4);
        point.flow = row.text(5);
        for (const char c : row.text(9))
          if (c >= '0' && c <= '9') point.copies.push_back(static_cast<std::size_t>(c - '0'));
        point.pinned = row.integer(10) != 0;
      }
      points.back().disks.push_back({row.integer(6), row.text(7)});
      points.back().change_ids.push_back(row.text(8));
    }
    HF_TRY(auto unfinished, connection_->prepare(kUnfinished));
    HF_TRY([[maybe_unused]] const bool counted, unfinished.step());
    unfinished_ = unfinished.integer(0);
    HF_TRY(auto begun, connection_->prepare(kBegun));
    begun_.clear();
    for (;;) {
      HF_TRY(const bool there, begun.step());
      if (!there) break;
      begun_.insert(
          fmt::format("{}/{}/{}.partial", root(number_in(begun.text(0))), begun.text(1), begun.text(2)));
    }
    points_ = std::move(points);
    return {};
  }();
  return asked.has_value();
}

// Learns of a new point: the freeze that it is of must be in the world's record.
void Judge::meet(const Listed& point) {
  World& all = world();
  std::size_t freeze = 0;
  while (freeze < all.freezes && (all.frozen[freeze].machine != point.machine ||
                                  all.frozen[freeze].change_ids[0].view() != point.change_ids[0]))
    ++freeze;
  if (freeze == all.freezes)
    find(fmt::format("point {} is of no freeze that the source knows of", point.name));
  if (all.points == all.seen.size()) find("the history has too many points");
  Seen& seen = all.seen[all.points++];
  seen = {.id = point.id,
          .machine = point.machine,
          .repository = point.repository,
          .freeze = freeze,
          .returns = all.rollbacks + all.older_trees};
  seen.key.set(point.key);
  seen.name.set(point.name);
  seen.flow.set(point.flow);
  note(all.order, "committed", freeze, static_cast<std::uint64_t>(point.id));
}

Judge::Compared Judge::compare(const std::string& directory, const Listed& point, const Seen& seen) {
  Compared compared;
  const Freeze& truth = world().frozen[seen.freeze];
  for (std::size_t disk = 0; disk < point.disks.size(); ++disk) {
    const auto walked = walk_image(fmt::format("{}/{}.qcow2", directory, point.disks[disk].name));
    if (!walked) {
      compared.fault =
          fmt::format("law 2: committed point {} can't be read: {}", directory, walked.error().message);
      return compared;
    }
    const int block = difference(walked->content, truth.contents[disk]);
    if (block >= 0)
      compared.fault =
          fmt::format("laws 3 and 4: block {} of disk {} of {} is not what the disk held at the freeze: {}",
                      block, disk, directory, of_writes(walked->content, truth.contents[disk], block));
    compared.rests_on.insert(walked->directories.begin(), walked->directories.end());
    ++world().compared;
  }
  return compared;
}

// Compares a place unless nothing has changed since it was found whole. A fault is a finding where no bit was
// flipped.
bool Judge::is_whole(const std::string& directory, const Listed& point, const Seen& seen) {
  if (compared_.contains(directory)) return true;
  Compared compared = compare(directory, point, seen);
  if (!compared.fault.empty() && !world().rot) find(compared.fault);
  if (!compared.fault.empty()) return false;
  compared_[directory] = std::move(compared);
  return true;
}

bool Judge::is_held(const Seen& seen) const {
  return seen.pinned ||
         std::ranges::any_of(opened_, [&](const auto& opened) { return opened.first == seen.id; });
}

bool Judge::was_open_lately(const Seen& seen) const {
  const auto closed = closed_.find(seen.id);
  const Order& order = world().order;
  return closed != closed_.end() && closed->second.wall == order.wall &&
         order.now < closed->second.spared_until;
}

// Law 12: what no person and no policy has let go. Flow "a" keeps the last three, by their time, which is
// their name. Those that were called bad do not count.
bool Judge::must_stay(const Seen& seen) const {
  if (seen.removed || seen.forgotten || seen.gone) return false;
  if (seen.flow.view() != "a" || is_held(seen) || was_open_lately(seen)) return true;
  std::size_t younger = 0;
  for (std::size_t i = 0; i < world().points; ++i) {
    const Seen& other = world().seen[i];
    // A point whose removal was refused may have been there when the policy decided.
    const bool counts = !other.forgotten && !(other.removed && other.gone) && !(other.bad && other.was_bad);
    if (counts && other.machine == seen.machine && other.flow.view() == "a" &&
        other.name.view() > seen.name.view())
      ++younger;
  }
  return younger < kKept;
}

void Judge::look_at_older_catalog() {
  if (!ask_catalog()) return;
  for (std::size_t i = 0; i < world().points; ++i) {
    Seen& seen = world().seen[i];
    const auto found = std::ranges::find(points_, seen.id, &Listed::id);
    const bool listed = found != points_.end();
    seen.pinned = listed && found->pinned;
    seen.bad = seen.was_bad = false;
    // Files may have left the repository that the copy of the catalog names.
    if (listed && found->repository != seen.repository) seen.removed = true;
    // A removal that the older catalog knows nothing of has left no files.
    if (!listed && must_stay(seen)) seen.forgotten = true;
    if (!listed && !seen.forgotten) seen.gone = true;
    // The older catalog may give a new point the id that this one had, if the clock was set back as well.
    if (!listed) seen.id = 0;
  }
  find_ahead();
}

// Looks for commits that the catalog can tell it lacks: the repository has counted on.
void Judge::find_ahead() {
  const storage::Outside past;
  const auto asked = [&]() -> db::Result<> {
    HF_TRY(auto row, connection_->prepare("SELECT name, commits FROM repositories"));
    for (;;) {
      HF_TRY(const bool there, row.step());
      if (!there) return {};
      const std::size_t repository = number_in(row.text(0));
      std::ifstream file(root(repository) + "/sequence.json");
      const auto sequence = nlohmann::json::parse(file, nullptr, false);
      if (sequence.is_object())
        world().is_ahead[repository] = sequence.value("commits", std::int64_t{0}) > row.integer(1);
    }
  }();
  if (!asked) find("the older catalog can't be asked for its counts");
}

void Judge::look_at_older_tree(std::size_t repository) {
  if (!ask_catalog()) return;
  const storage::Outside past;
  for (std::size_t i = 0; i < world().points; ++i) {
    Seen& seen = world().seen[i];
    const std::string directory =
        fmt::format("{}/{}/{}", root(seen.repository), seen.key.view(), seen.name.view());
    if (seen.repository == repository && !std::filesystem::exists(directory)) seen.removed = true;
  }
  world().is_ahead[repository] = false;
}

void Judge::look() {
  World& all = world();
  if (!ask_catalog()) return;
  std::set<Id> listed;
  for (const Listed& point : points_) {
    listed.insert(point.id);
    if (seen(point.id) == nullptr) meet(point);
    seen(point.id)->repository = point.repository;  // a copy takes the place of the point that goes
  }
  for (std::size_t i = 0; i < all.points; ++i) {
    Seen& seen = all.seen[i];
    if (listed.contains(seen.id)) {
      if (seen.gone && all.rollbacks == 0)
        find(fmt::format("point {} is back after it had gone", seen.name.view()));
      continue;
    }
    if (must_stay(seen))
      find(fmt::format("law 12: point {} of machine {} and flow '{}', in repository {}, is gone",
                       seen.name.view(), seen.machine, seen.flow.view(), seen.repository));
    if (!seen.forgotten) seen.gone = true;
  }
  for (std::size_t i = 0; i < all.points; ++i) all.seen[i].was_bad = all.seen[i].bad;
  find_removed();
  const std::set<std::string> changed = storage::take_changed();
  std::erase_if(compared_, [&](const auto& entry) {
    return all.flipped || std::ranges::any_of(entry.second.rests_on,
                                              [&](const auto& below) { return changed.contains(below); });
  });
  compare_all();
  all.flipped = false;
  compare_forgotten();
  find_unfinished();
  find_captured();
}

// Law 12, too: of a point's places, a whole one goes only where another whole one stays.
void Judge::compare_all() {
  const World& all = world();
  for (const Listed& point : points_) {
    Seen& seen = *this->seen(point.id);
    const std::uint64_t returns = all.rollbacks + all.older_trees;
    const bool is_older = returns > (all.rot ? seen.returns : 0);
    std::vector<std::size_t> places = point.copies;
    places.push_back(point.repository);
    bool whole[kRepositories] = {};
    bool is_known = !is_older;
    for (const std::size_t repository : places) {
      const std::string directory = fmt::format("{}/{}/{}", root(repository), point.key, point.name);
      // An older catalog lists what has gone since.
      if (all.areas[1 + repository].is_away ||
          (is_older && (seen.gone || !must_stay(seen) || repository != seen.repository))) {
        is_known = false;
        whole[repository] = seen.whole[repository] && !all.flipped;
        continue;
      }
      whole[repository] = is_whole(directory, point, seen);
    }
    if (is_known && !all.flipped && std::ranges::count(whole, true) == 0 &&
        std::ranges::count(seen.whole, true) > 0)
      find(fmt::format("law 12: the files of point {} that were right have gone for the sake of damaged ones",
                       point.name));
    std::ranges::copy(whole, seen.whole);
  }
}

// Machines' directories in which points of the catalog are missing.
std::set<std::string> Judge::machines_in_doubt() const {
  const storage::Outside past;
  std::set<std::string> found;
  for (const Listed& point : points_) {
    std::vector<std::size_t> places = point.copies;
    places.push_back(point.repository);
    for (const std::size_t repository : places) {
      const std::string machine = fmt::format("{}/{}", root(repository), point.key);
      if (!std::filesystem::exists(fmt::format("{}/{}/manifest.json", machine, point.name)))
        found.insert(machine);
    }
  }
  return found;
}

// Law 12: no file of a point goes where the repository differs from the catalog, or where the catalog lacks
// commits.
void Judge::find_removed() {
  const World& all = world();
  const std::vector<storage::Lost> lost = storage::take_lost();
  if (all.rollbacks == 0 && all.older_trees == 0) return;
  std::set<std::string> points;
  for (std::size_t i = 0; i < all.points; ++i) {
    const Seen& seen = all.seen[i];
    for (std::size_t repository = 0; repository < kRepositories; ++repository)
      points.insert(fmt::format("{}/{}/{}", root(repository), seen.key.view(), seen.name.view()));
  }
  const std::set<std::string> now_in_doubt = machines_in_doubt();
  for (const auto& [file, is_replaced] : lost) {
    const std::string point = file.substr(0, file.rfind('/'));
    if (!points.contains(point) || file.ends_with(".new")) continue;  // a text that took no place
    const std::string machine = point.substr(0, point.rfind('/'));
    if (!is_replaced && in_doubt_.contains(machine) && now_in_doubt.contains(machine))
      find(fmt::format("law 12: {} has gone, though its repository differs from the catalog", file));
    if (all.is_ahead[file.starts_with(root(0)) ? 0 : 1])
      find(fmt::format("law 12: {} has gone, though the catalog lacks commits of its repository", file));
  }
  in_doubt_ = now_in_doubt;
}

// The directory of a point, which may lie aside while another has its name: the change id tells. "" if there
// is none.
std::string Judge::directory_of(const Seen& seen) const {
  std::error_code none;
  const std::filesystem::path machine = fmt::format("{}/{}", root(seen.repository), seen.key.view());
  for (const auto& entry : std::filesystem::directory_iterator(machine, none)) {
    std::ifstream file(entry.path() / "manifest.json");
    const auto manifest = nlohmann::json::parse(file, nullptr, false);
    if (manifest.is_object() &&
        manifest["disks"][0]["change_id"] == world().frozen[seen.freeze].change_ids[0].view())
      return entry.path().string();
  }
  return "";
}

// Law 12: an older catalog deletes no point that it does not know, and nothing that one which it has set
// aside rests on.
void Judge::compare_forgotten() {
  const storage::Outside past;
  for (std::size_t i = 0; i < world().points; ++i) {
    const Seen& seen = world().seen[i];
    if (!seen.forgotten || seen.removed || world().rot || world().areas[1 + seen.repository].is_away)
      continue;
    const std::string directory = directory_of(seen);
    if (directory.empty())
      find(fmt::format("law 12: point {} of machine {}, which an older catalog does not know, is gone",
                       seen.name.view(), seen.machine));
    Listed point;
    for (unsigned disk = 0; disk < world().machines[seen.machine].count; ++disk) {
      const std::string name = fmt::format("disk-{}", disk);
      if (!std::filesystem::exists(fmt::format("{}/{}.qcow2", directory, name)))
        find(fmt::format("law 12: {} does not hold {}", directory, name));
      point.disks.push_back({0, name});
    }
    is_whole(directory, point, seen);
  }
}

// Law 8: a source that answers is let go soon after the run, whatever the repositories do.
void Judge::find_captured() {
  const std::int64_t now = world().order.now;
  if (unfinished_ > 0) idle_since_.reset();
  if (unfinished_ == 0 && !idle_since_) idle_since_ = now;
  const storage::Area& state = world().areas[storage::kState];
  if (state.errors > 0 || state.room > 0) idle_since_ = now;
  for (SourceMachine& machine : world().machines) {
    if (machine.hangs_until > now || machine.refuses_until > now || machine.breaks > 0) machine.sick_at = now;
    const std::int64_t sick_until = std::max({machine.sick_at, machine.hangs_until, machine.refuses_until});
    for (const Thing& thing : machine.things) {
      if (thing.name.view().empty() || thing.is_forgotten || !idle_since_) continue;
      if (now - std::max({*idle_since_, sick_until, thing.since}) > kSoon)
        find(fmt::format("law 8: {} is still at its source", thing.name.view()));
    }
  }
}

// Law 14: a run that found no room has removed its files when it ends. Where the repository did not answer
// then, the sweeper removes them soon after it does again.
void Judge::find_unfinished() {
  World& all = world();
  const storage::Area& state = all.areas[storage::kState];
  for (std::size_t repository = 0; repository < kRepositories; ++repository) {
    storage::Area& area = all.areas[1 + repository];
    if (area.errors > 0 || area.is_away || area.hangs_until > 0 || state.errors > 0 || state.room > 0)
      area.sick_at = all.order.now;
  }
  if (unfinished_ > 0) return;
  for (const std::string& directory : storage::unfinished()) {
    const storage::Area& area = all.areas[1 + (directory.starts_with(root(0)) ? 0 : 1)];
    if (area.room > 0 && all.order.now - area.sick_at > kSoon && !begun_.contains(directory))
      find(fmt::format("law 14: {} is left by a run that has ended", directory));
  }
}

void Judge::open(const Listed& point) {
  if (opened_.size() == 3) return;
  const Id id = point.id;
  if (auto opened = engine_.reading().open(point.disks.front().id, ImageForm::raw, {}))
    opened_.emplace_back(id, *std::move(opened));
}

void Judge::close_one(Dice& dice) {
  constexpr std::int64_t kSpared = 3600 * std::int64_t{1'000'000'000};
  if (opened_.empty()) return;
  const auto chosen = opened_.begin() + static_cast<std::ptrdiff_t>(dice.below(opened_.size()));
  closed_[chosen->first] = {world().order.now + kSpared, world().order.wall};
  const auto image = std::move(chosen->second);
  opened_.erase(chosen);
}

void Judge::close_all() { opened_.clear(); }

void Judge::read(const Listed& point, const Seen& seen) {
  World& all = world();
  ++all.reads;
  for (std::size_t disk = 0; disk < point.disks.size(); ++disk) {
    const auto excused = [&] {
      const storage::Area& area = all.areas[1 + point.repository];
      const storage::Area& state = all.areas[storage::kState];
      return all.rot || all.older_trees > 0 || area.is_away || area.errors > 0 || area.hangs_until > 0 ||
             !must_stay(seen) || state.errors > 0 || state.room > 0;
    };
    const auto opened = engine_.reading().open(point.disks[disk].id, ImageForm::raw, {});
    if (!opened) {
      if (excused()) return;
      find(fmt::format("law 13: point {} can't be opened: {}", point.name, opened.error().message));
    }
    Bytes bytes((*opened)->size());
    const auto done = (*opened)->read(0, bytes);
    if (!done) {
      if (excused()) return;
      find(fmt::format("law 13: point {} can't be read: {}", point.name, done.error().message));
    }
    const int block = difference(bytes, all.frozen[seen.freeze].contents[disk]);
    if (block >= 0)
      find(fmt::format("law 13: wrong bytes were handed out: block {} of disk {} of point {}: {}", block,
                       disk, point.name, of_writes(bytes, all.frozen[seen.freeze].contents[disk], block)));
  }
}

void Judge::look_at_rest() {
  World& all = world();
  look();
  if (unfinished_ > 0) find(fmt::format("law 16: {} executions and jobs have not ended", unfinished_));
  for (std::size_t machine = 0; machine < kMachines; ++machine) {
    for (const Thing& thing : all.machines[machine].things)
      if (!thing.name.view().empty() && !thing.is_forgotten)
        find(fmt::format("law 8: {} is left at the source of machine {}", thing.name.view(), machine));
  }
  // An older catalog leaves the files of runs that it does not know, and an older tree brings some.
  for (std::size_t repository = 0; repository < kRepositories; ++repository) {
    const storage::Outside past;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root(repository)))
      if (entry.path().extension() == ".partial" && all.rollbacks == 0 && all.older_trees == 0 &&
          !begun_.contains(entry.path().string()))
        find(fmt::format("law 14: {} is left in the repository", entry.path().string()));
  }
  for (const Listed& point : std::vector(points_)) read(point, *seen(point.id));
}

}  // namespace holdfast::simulation
