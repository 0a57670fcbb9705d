// Decides which layers a policy's verification reads next, so that each is read once in the policy's span.
// Pure functions.
//
// A layer belongs to the policy with the shortest span of those whose points and copies rest on it. A policy
// has to read `bytes` of a repository in each span, which gives its pace. It is done up to a moment, which
// each reading moves by the time that its bytes take at that pace. While the moment has passed, the layer
// read the longest ago is next. So a large layer is followed by a long pause, and a policy is never ahead by
// more than one layer.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "catalog/base/clock.h"
#include "catalog/stores/readings.h"

namespace holdfast::verify {

struct Due {
  Id layer = 0;
  std::uint64_t bytes = 0;
  Time since{};           // the last reading or the making of the file
  bool outdated = false;  // sound by a reading that is older than the policy asks for
};

// Time that a reading counts beyond the policy's span, because readings come once an hour and a day's are
// made up for.
constexpr std::chrono::days kGrace{1};

// The layers of one policy in one repository, the one read the longest ago first.
struct Portion {
  std::chrono::seconds every{0};
  std::uint64_t bytes = 0;
  std::vector<Due> layers;
};

// Returns each policy's portion. `spans` has the policies that ask for verification. `tried` has the times of
// failed readings: such a layer waits its turn like one that was read, so that it delays no other. A time
// later than `now` is taken for unknown.
std::map<Id, Portion> portions_of(const std::vector<Readings::ReadLayer>& layers,
                                  const std::vector<Readings::Shown>& shown,
                                  const std::map<Id, std::chrono::seconds>& spans,
                                  const std::map<Id, Time>& tried, Time now);

// Returns the moment at which the policy counts as done. At most `backlog` is made up for, and the pause is
// at most that of the largest layer, whatever the clock did meanwhile. Absent: the policy begins.
Time bounded(std::optional<Time> done_until, const Portion& portion, std::chrono::milliseconds backlog,
             Time now);
// Returns the moment after a reading of that many bytes.
Time moved(Time done_until, const Portion& portion, std::uint64_t bytes);

// Returns the layers to read now, in their order; none if the policy is done until later.
std::vector<Due> due_now(const Portion& portion, Time done_until, Time now);

}  // namespace holdfast::verify
