#include "engine/verify/verify.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "catalog/base/log.h"
#include "catalog/stores/events.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/repository/facts.h"
#include "engine/verify/layer_check.h"

namespace holdfast::verify {
namespace {

constexpr std::size_t kMostTold = 100;

struct Stored {
  StoredLayer layer;
  Id repository = 0;
  std::optional<Error> fault;  // once it was looked at
};

struct Subject {
  Point point;
  std::string path;  // "machines/m/points/T"
  std::string machine_key;
  std::map<std::string, std::vector<Id>> layers;  // by disk
};

class Verification {
 public:
  Verification(const capture::Services& services, VerifyLevel level, ProgressMeter& progress,
               const source::Cancel& cancel)
      : services_(services), level_(level), progress_(progress), cancel_(cancel) {}

  Result<Outcome> run(const std::vector<Id>& points) {
    for (const Id point : points) HF_CHECK(load(point));
    for (const auto& [id, stored] : layers_) progress_.expect(weight(stored));
    for (const Subject& subject : subjects_) {
      for (const auto& [disk, layers] : subject.layers)
        for (const Id layer : layers) HF_CHECK(look_at(layers_.at(layer)));
      HF_CHECK(write_down(subject));
    }
    return std::move(outcome_);
  }

 private:
  Result<> load(Id id) {
    return services_.catalog.read([&](db::Connection& db) -> Result<> {
      Points points(db);
      auto point = points.get(id);
      if (!point && point.error().code == ENOENT) return {};
      HF_CHECK(point);
      HF_TRY(const Machine machine, Machines(db).get(point->machine_id));
      Subject subject{.point = std::move(*point), .path = {}, .machine_key = machine.key, .layers = {}};
      subject.path = fmt::format("machines/{}/points/{}", machine.name, subject.point.name);
      for (const PointDisk& disk : subject.point.disks) {
        HF_TRY(const auto stack, points.stack(disk.layer_id));
        for (const Layer& layer : stack) {
          subject.layers[disk.name].push_back(layer.id);
          if (layers_.contains(layer.id)) continue;
          HF_TRY(const auto sums, points.sums_of_layer(layer.id));
          layers_[layer.id] = {.layer = {layer, machine.key, sums.value_or("")},
                               .repository = subject.point.repository_id,
                               .fault = {}};
          unseen_.insert(layer.id);
        }
      }
      subjects_.push_back(std::move(subject));
      return {};
    });
  }

  std::uint64_t weight(const Stored& stored) const {
    return level_ == VerifyLevel::quick ? 0 : stored.layer.layer.file_bytes;
  }

  Result<std::shared_ptr<repository::Place>> place_of(Id repository) {
    HF_TRY(const Repository row,
           services_.catalog.read([&](db::Connection& db) { return Repositories(db).get(repository); }));
    return services_.shelf.place(row);
  }

  Result<> look_at(Stored& stored) {
    if (unseen_.erase(stored.layer.layer.id) == 0) return {};
    HF_TRY(const auto place, place_of(stored.repository));
    const auto watch = [this](std::uint64_t bytes) -> Result<> {
      progress_.advance(bytes);
      outcome_.bytes_read += bytes;
      if (cancel_.requested()) return fail(ECANCELED, "cancelled");
      return {};
    };
    const auto check = level_ == VerifyLevel::quick ? check_quickly : check_every_byte;
    const auto checked = check(*place, stored.layer, watch);
    ++outcome_.layers;
    if (checked) return {};
    if (checked.error().code == ECANCELED) return checked;
    // Gone in the meantime, it says nothing of what lies in it.
    HF_CHECK(place->check());
    stored.fault = checked.error();
    return {};
  }

  Result<> write_down(const Subject& subject) {
    const Point::Verification verification{
        .at = services_.clock.now(),
        .level = level_,
        .result = tell_damage(subject) ? VerdictResult::bad : VerdictResult::good};
    ++outcome_.points;
    if (verification.result == VerdictResult::bad) ++outcome_.damaged_points;
    const auto noted = services_.catalog.write([&](db::Connection& db) -> Result<> {
      HF_CHECK(Points(db).set_verified(subject.point.id, verification));
      Event event;
      event.at = verification.at;
      event.event = "point.verify";
      event.object = subject.path;
      event.result = verification.result == VerdictResult::good ? EventResult::ok : EventResult::failed;
      event.reason =
          verification.result == VerdictResult::good ? std::string(to_word(level_)) : first_fault(subject);
      return Events(db).add(event);
    });
    if (!noted && noted.error().code == ENOENT) return {};  // pruned meanwhile
    HF_CHECK(noted);
    write_beside(subject, verification);
    return {};
  }

  // Whether there is any.
  bool tell_damage(const Subject& subject) {
    bool any = false;
    for (const auto& [disk, layers] : subject.layers)
      for (const Id layer : layers) {
        const auto& fault = layers_.at(layer).fault;
        if (!fault) continue;
        any = true;
        if (outcome_.damage.size() < kMostTold)
          outcome_.damage.push_back({subject.path, disk, fault->message});
      }
    return any;
  }

  std::string first_fault(const Subject& subject) const {
    for (const auto& [disk, layers] : subject.layers)
      for (const Id layer : layers)
        if (const auto& fault = layers_.at(layer).fault) return fmt::format("{}: {}", disk, fault->message);
    return "";
  }

  // The catalog has it; the repository's copy of it is for a Holdfast that begins again.
  void write_beside(const Subject& subject, const Point::Verification& verification) {
    const auto place = place_of(subject.point.repository_id);
    if (!place || !(*place)->may_write()) return;
    const auto written = repository::write_facts(
        (*place)->directory(), fmt::format("{}/{}", subject.machine_key, subject.point.name), {verification});
    if (!written) log::warning("{}: {}", subject.path, written.error().message);
  }

  const capture::Services& services_;
  const VerifyLevel level_;
  ProgressMeter& progress_;
  const source::Cancel& cancel_;
  std::vector<Subject> subjects_;
  std::map<Id, Stored> layers_;
  std::set<Id> unseen_;
  Outcome outcome_;
};

}  // namespace

Result<Outcome> verify_points(const capture::Services& services, const std::vector<Id>& points,
                              VerifyLevel level, ProgressMeter& progress, const source::Cancel& cancel) {
  return Verification(services, level, progress, cancel).run(points);
}

}  // namespace holdfast::verify
