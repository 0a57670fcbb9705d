// Verbs of the daemon, and of many flows at once.
#include "fsd/verbs/limits.h"

namespace holdfast::verbs {
namespace {

using enum Argument::Type;

constexpr Argument kRunMatching[] = {
    {"flows", pattern, "GLOB", true},
    {"type", choice, "auto|full|incremental"},
    {"by", name, "NAME"},
    kBandwidth,
    kSample,
    {"name", name, "ID"},
};
constexpr Argument kFlows[] = {{"flows", pattern, "GLOB", true}};
constexpr Argument kDrain[] = {
    {"timeout", span, "SPAN"},
    {"name", name, "ID"},
};

Result<> run_matching(Engine& engine, Id, const Values& values, const Caller& caller) {
  RunRequest request;
  request.name = values.text("name");
  request.kind = from_word<PointKind>(values.text("type"));  // nullopt for "auto"
  request.by = values.text("by");
  HF_CHECK(read_limits(values, request));
  HF_CHECK(engine.requests().run_matching(values.text("flows"), request, caller));
  return {};
}

template <bool enabled>
Result<> enable_matching(Engine& engine, Id, const Values& values, const Caller& caller) {
  return engine.objects().enable_flows(values.text("flows"), enabled, caller);
}

Result<> drain(Engine& engine, Id, const Values& values, const Caller& caller) {
  DrainRequest request;
  request.name = values.text("name");
  if (values.has("timeout")) {
    HF_TRY(request.timeout, parse_duration(values.text("timeout")));
  }
  HF_CHECK(engine.requests().drain(request, caller));
  return {};
}

Result<> resume(Engine& engine, Id, const Values&, const Caller& caller) {
  return engine.requests().resume(caller);
}

constexpr Verb kRootVerbs[] = {
    {"run", kRunMatching,
     "start all enabled flows of yours whose names match, or none if one of them can't start", run_matching},
    {"enable", kFlows, "let all matching flows run", enable_matching<true>},
    {"disable", kFlows, "let no matching flow run", enable_matching<false>},
    {"drain", kDrain,
     "take no new work, before an upgrade. The job jobs/ID ends as success once all work has ended and "
     "nobody "
     "reads an image; after the timeout it ends as error, and new work is taken again",
     drain},
    {"resume", {}, "take new work again, and believe the clock, if it is in doubt", resume},
};

}  // namespace

std::span<const Verb> of_root() { return kRootVerbs; }

}  // namespace holdfast::verbs
