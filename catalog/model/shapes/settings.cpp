#include "catalog/model/shapes/definition.h"

namespace holdfast::json {

template <>
const Shape<SettingsDefinition>& shape() {
  using D = SettingsDefinition;
  constexpr std::uint64_t kLeastOfEvents = 4096;
  constexpr std::uint64_t kLeastReserve = 64 << 20;  // QEMU copies on until it is told to end
  static const Shape<D> settings{
      "Settings of the daemon that may change while it runs.",
      {
          field("max_concurrent_jobs", &D::max_concurrent_jobs, integer(1, 1000),
                "How many jobs run at once."),
          field("verify_reads", &D::verify_reads, boolean(),
                "Whether what is read of points is checked against its checksums."),
          field("keep_executions", &D::keep_executions, integer(1, 1'000'000'000),
                "So many executions of each flow, and so many other jobs of each object, are remembered."),
          field(
              "events_size", &D::events_size, size(kLeastOfEvents, kMostBytes),
              "When events.jsonl has become so large, it goes on as events.jsonl.1, that one as .2, to .9."),
          field("hook_timeout", &D::hook_timeout, duration(kAtLeastOneSecond),
                "How long a command of a flow (only_if, hooks) may take; then it is killed."),
          field("scratch_reserve", &D::scratch_reserve, size(kLeastReserve, kMostBytes),
                "So much space stays free in the state directory while a running guest overwrites what a "
                "backup has not read; a backup that would take it ends."),
      },
      {}};
  return settings;
}

}  // namespace holdfast::json

namespace holdfast {
HF_DEFINITION(SettingsDefinition);
}
