// Verbs of groups and schedules.
#include "fsd/verbs/verb.h"

namespace holdfast::verbs {
namespace {

constexpr Argument kMember[] = {{"machine", Argument::Type::name, "MACHINE", true}};

template <bool enabled>
Result<> enable_member(Engine& engine, Id group, const Values& values, const Caller& caller) {
  return engine.objects().enable_member(group, values.text("machine"), enabled, caller);
}

template <bool enabled>
Result<> enable_schedule(Engine& engine, Id schedule, const Values&, const Caller& caller) {
  return engine.objects().enable_schedule(schedule, enabled, caller);
}

constexpr Verb kGroup[] = {
    {"enable", kMember, "have flows over the group back this machine up again", enable_member<true>},
    {"disable", kMember, "have them leave it out; it stays a member", enable_member<false>},
};
constexpr Verb kSchedule[] = {
    {"enable", {}, "let it start what follows it", enable_schedule<true>},
    {"disable", {}, "let it start nothing", enable_schedule<false>},
};

}  // namespace

std::span<const Verb> of_group() { return kGroup; }
std::span<const Verb> of_schedule() { return kSchedule; }

}  // namespace holdfast::verbs
