// What may be asked of the daemon itself.
#include "catalog/base/text.h"
#include "fsd/verbs/verb.h"

namespace holdfast::verbs {
namespace {

using enum Argument::Type;

constexpr Argument kDrain[] = {
    {"timeout", span, "SPAN"},
    {"name", new_name, "ID"},
};

Result<> drain(Engine& engine, Id, const Values& values, const Caller& caller) {
  DrainRequest request;
  request.name = values.text("name");
  if (values.has("timeout")) {
    HF_TRY(request.timeout, parse_duration(values.text("timeout")));
  }
  HF_CHECK(engine.drain(request, caller));
  return {};
}

Result<> resume(Engine& engine, Id, const Values&, const Caller& caller) { return engine.resume(caller); }

constexpr Verb kVerbs[] = {
    {"drain", kDrain,
     "take no new work, before an upgrade: a job, to be seen at once as jobs/ID, ends as success once all "
     "work has "
     "ended and nobody reads an image; after the timeout it ends as error, and new work is taken again",
     drain},
    {"resume", {}, "take new work again", resume},
};

}  // namespace

std::span<const Verb> of_root() { return kVerbs; }

}  // namespace holdfast::verbs
