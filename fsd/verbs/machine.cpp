// Verbs of machines and of points.
#include "catalog/base/text.h"
#include "fsd/verbs/limits.h"
#include "fsd/verbs/verify.h"

namespace holdfast::verbs {
namespace {

using enum Argument::Type;

constexpr Argument kBackup[] = {
    {"repository", name, "NAME", true},
    {"type", choice, "auto|full|incremental"},
    kBandwidth,
    kSample,
    {"name", name, "ID"},
};

Result<> back_up(Engine& engine, Id machine, const Values& values, const Caller& caller) {
  BackupRequest request;
  request.name = values.text("name");
  request.repository = values.text("repository");
  request.kind = from_word<PointKind>(values.text("type"));  // nullopt for "auto"
  HF_CHECK(read_limits(values, request));
  HF_CHECK(engine.requests().back_up(machine, request, caller));
  return {};
}

Result<> reset_cbt(Engine& engine, Id machine, const Values&, const Caller& caller) {
  return engine.requests().reset_cbt(machine, caller);
}

constexpr Argument kPrune[] = {{"name", name, "ID"}};
constexpr Argument kRetire[] = {{"keep", span, "SPAN"}};

Result<> prune(Engine& engine, Id machine, const Values& values, const Caller& caller) {
  HF_CHECK(engine.requests().prune(machine, {.name = values.text("name")}, caller));
  return {};
}

Result<> retire(Engine& engine, Id machine, const Values& values, const Caller& caller) {
  std::chrono::seconds keep = std::chrono::days{90};
  if (values.has("keep")) {
    HF_TRY(keep, parse_duration(values.text("keep")));
  }
  return engine.requests().retire(machine, keep, caller);
}

Result<> unretire(Engine& engine, Id machine, const Values&, const Caller& caller) {
  return engine.requests().unretire(machine, caller);
}

constexpr Verb kMachine[] = {
    {"backup", kBackup, "make a point of the machine now, by the job jobs/ID", back_up},
    verify_verb<ObjectKind::machine>(
        "read all points of the machine and compare them with their checksums, by the job jobs/ID"),
    repair_verb<ObjectKind::machine>(
        "heal what is damaged of the machine's points from files that hold the same, by the job jobs/ID"),
    {"reset-cbt",
     {},
     "distrust the changes that the source reports: the next point in each repository is a full one",
     reset_cbt},
    {"prune", kPrune, "remove now the points that plan.json lets go, by the job jobs/ID", prune},
    {"retire", kRetire,
     "run the machine no more; after that span (90d) all its points go, the last one too, but not pinned "
     "ones",
     retire},
    {"unretire", {}, "let the machine run again; policies decide about its points again", unretire},
};

constexpr Argument kPin[] = {{"until", moment, "TIME"}, {"why", text, "TEXT"}};
constexpr Argument kVerdict[] = {
    {"result", choice, "good|bad", true}, {"by", name, "NAME", true}, {"text", text, "TEXT"}};

constexpr Argument kBootCheck[] = {{"expect", text, "screen|agent|serial:TEXT"},
                                   {"timeout", span, "SPAN"},
                                   {"bus", choice, "virtio|sata"},
                                   {"name", name, "ID"}};

Result<> boot_check(Engine& engine, Id point, const Values& values, const Caller& caller) {
  BootCheckRequest request{.name = values.text("name"),
                           .expect = {},
                           .timeout = {},
                           .bus = from_word<BootBus>(values.text("bus"))};
  if (values.has("expect")) {
    HF_TRY(request.expect, parse_boot_expect(values.text("expect")));
  }
  if (values.has("timeout")) {
    HF_TRY(request.timeout, parse_duration(values.text("timeout")));
  }
  HF_CHECK(engine.requests().boot_check(point, request, caller));
  return {};
}

Result<> pin(Engine& engine, Id point, const Values& values, const Caller& caller) {
  PinRequest request{.until = {}, .why = values.text("why")};
  if (values.has("until")) request.until = verbs::moment(values.text("until"), system_clock().now());
  return engine.objects().pin(point, request, caller);
}

Result<> unpin(Engine& engine, Id point, const Values&, const Caller& caller) {
  return engine.objects().unpin(point, caller);
}

Result<> verdict(Engine& engine, Id point, const Values& values, const Caller& caller) {
  const VerdictRequest request{
      .result = from_word<VerdictResult>(values.text("result")).value_or(VerdictResult::bad),
      .by = values.text("by"),
      .text = values.text("text")};
  return engine.objects().give_verdict(point, request, caller);
}

constexpr Verb kPoint[] = {
    verify_verb<ObjectKind::point>(
        "read the point's files and compare them with their checksums, by the job jobs/ID; "
        "level=quick looks at the files only, level=compare also lets QEMU read them"),
    repair_verb<ObjectKind::point>(
        "heal what is damaged of the point from files that hold the same, by the job jobs/ID"),
    {"boot-check", kBootCheck,
     "boot the point's disks in an isolated QEMU, by the job jobs/ID; the policy of its flow says what "
     "proves the "
     "boot, and the timeout (screen, 10m)",
     boot_check},
    {"pin", kPin, "keep the point until that time, or until it is unpinned: nothing deletes it", pin},
    {"unpin", {}, "remove all pins of the point", unpin},
    {"verdict", kVerdict,
     "record whether the point is good or bad. The last verdict counts: a bad point is never `latest`",
     verdict},
};

}  // namespace

std::span<const Verb> of_machine() { return kMachine; }
std::span<const Verb> of_point() { return kPoint; }

}  // namespace holdfast::verbs
