// The rules that decide which points stay, and why. They use no catalog and no clock.
//
// The points of one flow in one repository are a series. The flow's policy judges each series by itself:
//
//   keep_last     the newest N
//   keep_hourly   the newest of each of the newest N hours that have points
//   … keep_yearly the same for days, weeks (from Monday on), months and years; all in UTC
//   min_age       every point younger than this
//
// Only good points take places. A bad point stays as long as it would if it were good, but takes no good
// point's place. So a bad point goes once enough good points exist; while there are none, nothing goes.
// `Candidate::held` lists reasons beyond the rules (law 12). All reasons are reported, not only the first.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/base/clock.h"
#include "catalog/base/id.h"
#include "catalog/model/definitions.h"

namespace holdfast::retention {

enum class Reason {
  no_policy,  // the point has no policy
  last,       // keep_last; the next five likewise
  hourly,
  daily,
  weekly,
  monthly,
  yearly,
  min_age,
  pinned,
  newest_good,  // the machine's newest good point
  vouched,      // the newest point that a user marked good
  next_run,     // the newest in its repository; the next run continues from it
  copied,       // a copy of the point stays elsewhere
  whole,        // the point's other places that stay are damaged
  open,         // a user has one of its images open
  read,         // a user has read one of its images within the last hour
  retired,      // the machine is retired, but not for long enough
};
std::string_view to_word(Reason reason);

// Points that a policy judges together. 0: unknown.
struct Series {
  Id flow = 0;
  Id repository = 0;
  auto operator<=>(const Series&) const = default;
};

struct Candidate {
  Id id = 0;
  Time time{};
  Series series;
  std::optional<PolicyDefinition> policy;  // absent: the flow is gone, or has no policy
  bool good = true;
  std::vector<Reason> held;  // reasons beyond the rules
};

struct Judgement {
  Id id = 0;
  std::vector<Reason> reasons;  // why the point stays, in the order of the enumeration; empty: it goes

  bool stays() const { return !reasons.empty(); }
  bool operator==(const Judgement&) const = default;
};

// Time that the points of a retired machine stay. When that time is over, policies no longer keep any point.
struct Retirement {
  Time at{};
  std::chrono::seconds keep{0};
  bool is_over(Time now) const { return at + keep <= now; }
};

// Returns one judgement for each point, in the same order. Once `retirement` is over, only `held` keeps a
// point.
std::vector<Judgement> judge(const std::vector<Candidate>& points, Time now,
                             const std::optional<Retirement>& retirement);

}  // namespace holdfast::retention
