// Functions that break a law while its switch is off. The linker gives the callers of the project's own
// functions these (--wrap in program.cmake).
#include "catalog/stores/jobs.h"
#include "catalog/stores/pins.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/retention.h"
#include "engine/image/writer.h"
#include "engine/repository/readers.h"
#include "engine/retention/room.h"
#include "tests/simulation/world.h"

namespace holdfast {
namespace {

bool is_off(simulation::Off which) { return simulation::world().off == which; }

// An increment without its zeros.
class WithoutZeros final : public image::Writer {
 public:
  explicit WithoutZeros(std::unique_ptr<image::Writer> writer) : writer_(std::move(writer)) {}
  Result<> write(std::uint64_t offset, ByteView data) override { return writer_->write(offset, data); }
  Result<> zero(std::uint64_t, std::uint64_t) override { return {}; }
  Result<> finish_segment(std::uint64_t offset) override { return writer_->finish_segment(offset); }
  Result<image::WriterSummary> finish() override { return writer_->finish(); }

 private:
  const std::unique_ptr<image::Writer> writer_;
};

}  // namespace

using Created = Result<std::unique_ptr<image::Writer>>;
Created create_really(File& image, File& sums, const image::WriterOptions& options) __asm__(
    "__real__ZN8holdfast5image6Writer6createERNS_4FileES3_RKNS0_13WriterOptionsE");
Created create(File& image, File& sums, const image::WriterOptions& options) __asm__(
    "__wrap__ZN8holdfast5image6Writer6createERNS_4FileES3_RKNS0_13WriterOptionsE");
Created create(File& image, File& sums, const image::WriterOptions& options) {
  auto created = create_really(image, sums, options);
  if (!created || !is_off(simulation::Off::zeros)) return created;
  return std::make_unique<WithoutZeros>(*std::move(created));
}

Result<std::vector<Job>> unfinished_jobs_really(Jobs*) __asm__("__real__ZN8holdfast4Jobs10unfinishedEv");
Result<std::vector<Job>> unfinished_jobs(Jobs*) __asm__("__wrap__ZN8holdfast4Jobs10unfinishedEv");
Result<std::vector<Job>> unfinished_jobs(Jobs* jobs) {
  if (is_off(simulation::Off::ends)) return std::vector<Job>{};
  return unfinished_jobs_really(jobs);
}

Result<> add_pin_really(Pins*, const Pin& pin) __asm__("__real__ZN8holdfast4Pins3addERKNS_3PinE");
Result<> add_pin(Pins*, const Pin& pin) __asm__("__wrap__ZN8holdfast4Pins3addERKNS_3PinE");
Result<> add_pin(Pins* pins, const Pin& pin) {
  return is_off(simulation::Off::pins) ? Result<>{} : add_pin_really(pins, pin);
}

using AllKept = Result<std::vector<Retention::Kept>>;
AllKept kept_really(Retention*, Id machine, Time now) __asm__(
    "__real__ZN8holdfast9Retention6pointsElNSt6chrono10time_pointINS1_3_V212system_clockENS1_"
    "8durationIlSt5ratioILl1ELl1000EEEEEE");
AllKept kept(Retention*, Id machine, Time now) __asm__(
    "__wrap__ZN8holdfast9Retention6pointsElNSt6chrono10time_pointINS1_3_V212system_clockENS1_"
    "8durationIlSt5ratioILl1ELl1000EEEEEE");
AllKept kept(Retention* retention, Id machine, Time now) {
  auto points = kept_really(retention, machine, now);
  if (!points) return points;
  std::optional<Id> policy;
  for (const Retention::Kept& point : *points)
    if (point.policy_id) policy = point.policy_id;
  for (Retention::Kept& point : *points) {
    if (is_off(simulation::Off::good)) point.damaged = false, point.verdict = std::nullopt;
    if (is_off(simulation::Off::policies)) point.policy_id = policy;
  }
  return points;
}

repository::Readers::Use use_really(repository::Readers*, Id point, Time now) __asm__(
    "__real__ZN8holdfast10repository7Readers3useElNSt6chrono10time_pointINS2_3_V212system_clockENS2_"
    "8durationIlSt5ratioILl1ELl1000EEEEEE");
repository::Readers::Use use(repository::Readers*, Id point, Time now) __asm__(
    "__wrap__ZN8holdfast10repository7Readers3useElNSt6chrono10time_pointINS2_3_V212system_clockENS2_"
    "8durationIlSt5ratioILl1ELl1000EEEEEE");
repository::Readers::Use use(repository::Readers* readers, Id point, Time now) {
  if (is_off(simulation::Off::readers)) return repository::Readers::Use::none;
  return use_really(readers, point, now);
}

Result<> check_listing_really(const retention::Ground& ground) __asm__(
    "__real__ZN8holdfast9retention13check_listingERKNS0_6GroundE");
Result<> check_listing(const retention::Ground& ground) __asm__(
    "__wrap__ZN8holdfast9retention13check_listingERKNS0_6GroundE");
Result<> check_listing(const retention::Ground& ground) {
  return is_off(simulation::Off::listings) ? Result<>{} : check_listing_really(ground);
}

Result<Repository> repository_really(Repositories*, Id id) __asm__("__real__ZN8holdfast12Repositories3getEl");
Result<Repository> repository_of(Repositories*, Id id) __asm__("__wrap__ZN8holdfast12Repositories3getEl");
Result<Repository> repository_of(Repositories* repositories, Id id) {
  auto repository = repository_really(repositories, id);
  if (repository && is_off(simulation::Off::numbers)) {
    repository->commits = std::numeric_limits<std::int64_t>::max();
    repository->missed_commits = std::nullopt;
  }
  return repository;
}

}  // namespace holdfast
