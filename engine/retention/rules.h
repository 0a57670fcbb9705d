// Which points stay, and why: the rules alone, without a catalog and without a clock.
//
// The points of one flow in one repository are a series, and each series is judged by its flow's policy:
//
//   keep_last     the newest N
//   keep_hourly   the newest of each of the newest N hours that have points; so for days, weeks (from Monday
//   … keep_yearly   on), months and years, all of them in UTC
//   min_age       whatever is younger
//
// Only good points take places. A bad one stays for as long as it would if it were good, without taking any
// good one's place: so it goes once enough good ones have been made, and while there are none nothing goes.
// What holds a point beyond the rules (law 12) stands in Held. Each reason is told, not the first alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/base/clock.h"
#include "catalog/base/id.h"
#include "catalog/model/definitions.h"

namespace holdfast::retention {

enum class Reason {
  no_policy,  // nobody said how long
  last,       // keep_last, and so on
  hourly,
  daily,
  weekly,
  monthly,
  yearly,
  min_age,
  pinned,
  newest_good,  // of its machine
  vouched,      // the newest that somebody called good
  next_run,     // the newest in its repository: the next run takes up from it
  copied,       // not here any more: a copy of it stays
  whole,        // its other places that stay are damaged
  open,         // somebody has an image of it open
  read,         // … or has read one within the last hour
  retired,      // its machine is retired, but not for long enough
};
std::string_view to_word(Reason reason);

// What a point's series is: 0 where nobody knows.
struct Series {
  Id flow = 0;
  Id repository = 0;
  auto operator<=>(const Series&) const = default;
};

struct Candidate {
  Id id = 0;
  Time time{};
  Series series;
  std::optional<PolicyDefinition> policy;  // absent: its flow is gone, or has none
  bool good = true;
  std::vector<Reason> held;  // by what is no rule
};

struct Judgement {
  Id id = 0;
  std::vector<Reason> reasons;  // why it stays, in the order of the enumeration; none: it goes

  bool stays() const { return !reasons.empty(); }
  bool operator==(const Judgement&) const = default;
};

// How long a retired machine's points stay: its policies say nothing any more, when that is over.
struct Retirement {
  Time at{};
  std::chrono::seconds keep{0};
  bool is_over(Time now) const { return at + keep <= now; }
};

// One for each of them, in their order. What is retired and over leaves `held` alone to keep a point.
std::vector<Judgement> judge(const std::vector<Candidate>& points, Time now,
                             const std::optional<Retirement>& retirement);

}  // namespace holdfast::retention
