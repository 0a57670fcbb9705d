// Whose turn it is: the limits of what runs at once, and who of those that wait goes first.
//
// A higher priority goes before a lower one. Among equals the flow goes first whose last turn is the longest
// ago, so that a flow of a thousand machines keeps nobody waiting for the end of them. Each eighth turn is
// that of the job which has waited longest, whatever its priority: nobody starves.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "catalog/model/enumerations.h"
#include "engine/runs/work.h"

namespace holdfast::runs {

// One thread at a time.
class Turns {
 public:
  static constexpr std::uint64_t kOneOf = 8;  // is the turn of whoever has waited longest

  void set_limit(unsigned jobs) { limit_ = jobs; }
  void set_limit_of(Id object, unsigned jobs) { limits_[object] = jobs; }  // of a repository, or a source

  std::optional<WaitReason> full_for(const Work& work) const;  // nothing: there is room
  bool is_for_the_oldest() const { return turn_ % kOneOf == kOneOf - 1; }
  bool goes_before(const Work& a, const Work& b) const;  // of two that were there in the order b, a

  void begins(const Work& work);
  void ends(const Work& work);

 private:
  std::uint64_t last_turn_of(Id flow) const;

  unsigned limit_ = 0;
  unsigned running_ = 0;
  std::map<Id, unsigned> limits_;      // an object that is not here has none
  std::map<Id, unsigned> running_of_;  // by object
  std::uint64_t turn_ = 0;
  std::map<Id, std::uint64_t> last_turns_;  // by flow
};

}  // namespace holdfast::runs
