// Limits what runs at once, and decides which waiting job goes first.
//
// Higher priority goes first. Among equals, the flow whose last turn is the longest ago goes first, so that a
// flow of a thousand machines delays no other flow. Each eighth turn goes to the job that has waited longest,
// whatever its priority, so that none starves.
//
// Jobs that users other than root ask for outside of flows take at most half of the places, among all jobs
// and among those of each repository; one if there is one only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "catalog/model/enumerations.h"
#include "engine/runs/work.h"

namespace holdfast::runs {

// Used by one thread at a time.
class JobTurns {
 public:
  static constexpr unsigned kMostBootChecks = 1;  // at once, because each takes a guest's memory
  static constexpr std::uint64_t kOneOf = 8;      // one turn in so many goes to the job that waited longest

  void set_limit(unsigned jobs) { limit_ = jobs; }
  void set_limit_of(Id repository, unsigned jobs) { limits_[repository] = jobs; }

  std::optional<WaitReason> full_for(const Work& work) const;  // nullopt: there is room
  bool is_for_the_oldest() const { return turn_ % kOneOf == kOneOf - 1; }
  bool goes_before(const Work& a, const Work& b) const;  // `b` came before `a`

  void begins(const Work& work);
  void ends(const Work& work);

 private:
  struct Running {
    unsigned all = 0;
    unsigned by_hand = 0;  // jobs of users, outside of flows
  };

  static bool is_full(const Work& work, const Running& running, unsigned limit);
  std::uint64_t last_turn_of(Id flow) const;

  unsigned limit_ = 0;
  unsigned boot_checks_ = 0;  // running ones
  Running running_;
  std::map<Id, unsigned> limits_;     // without an entry: no limit
  std::map<Id, Running> running_of_;  // by repository
  std::uint64_t turn_ = 0;
  std::map<Id, std::uint64_t> last_turns_;  // by flow
};

}  // namespace holdfast::runs
