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
    {"enable", kMember, "back this machine up again in runs of the group's flows", enable_member<true>},
    {"disable", kMember, "leave this machine out of runs of the group's flows; it stays a member",
     enable_member<false>},
};
constexpr Verb kSchedule[] = {
    {"enable", {}, "let the schedule start its flows", enable_schedule<true>},
    {"disable", {}, "let the schedule start no flow", enable_schedule<false>},
};

}  // namespace

std::span<const Verb> of_group() { return kGroup; }
std::span<const Verb> of_schedule() { return kSchedule; }

}  // namespace holdfast::verbs
