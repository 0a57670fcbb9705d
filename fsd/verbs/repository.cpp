#include "fsd/verbs/test.h"
#include "fsd/verbs/verify.h"

namespace holdfast::verbs {
namespace {

using enum Argument::Type;

constexpr Argument kImport[] = {
    {"file", path, "FILE", true},
    {"machine", name, "MACHINE", true},
    {"disk", name, "DISK"},
    {"name", name, "ID"},
};

Result<> import_image(Engine& engine, Id repository, const Values& values, const Caller& caller) {
  ImportRequest request;
  request.name = values.text("name");
  request.file = values.text("file");
  request.machine = values.text("machine");
  request.disk = values.text("disk");
  HF_CHECK(engine.requests().import_image(repository, request, caller));
  return {};
}

Result<> rescan(Engine& engine, Id repository, const Values& values, const Caller& caller) {
  HF_CHECK(engine.requests().rescan(repository, values.text("name"), caller));
  return {};
}

constexpr Argument kGc[] = {
    {"do", choice, "list|aside|delete"},
    {"name", name, "ID"},
};

Result<> gc(Engine& engine, Id repository, const Values& values, const Caller& caller) {
  GcRequest request;
  request.name = values.text("name");
  request.action = from_word<GcAction>(values.text("do")).value_or(request.action);
  HF_CHECK(engine.requests().gc(repository, request, caller));
  return {};
}

Result<> detach(Engine& engine, Id repository, const Values&, const Caller& caller) {
  return engine.requests().detach(repository, caller);
}

Result<> attach(Engine& engine, Id repository, const Values&, const Caller& caller) {
  return engine.requests().attach(repository, caller);
}

constexpr Argument kTakeOver[] = {{"why", text, "TEXT", true}};

Result<> take_over(Engine& engine, Id repository, const Values& values, const Caller& caller) {
  return engine.requests().take_over(repository, values.text("why"), caller);
}

constexpr Verb kRepositoryVerbs[] = {
    {"test", kTest, "check that the repository exists, is writable and has room, by the job jobs/ID",
     test<ObjectKind::repository>},
    verify_verb<ObjectKind::repository>(
        "read all points of the repository and compare them with their checksums, by the job jobs/ID"),
    repair_verb<ObjectKind::repository>(
        "heal what is damaged in the repository from files that hold the same, by the job jobs/ID"),
    {"rescan", kTest,
     "add what lies there and the catalog lacks, of root alone, by the job jobs/ID; nothing there is changed",
     rescan},
    {"gc", kGc,
     "list what belongs to nothing there, of root alone, by the job jobs/ID; do=aside sets it aside, "
     "do=delete "
     "deletes what lies aside",
     gc},
    {"import", kImport,
     "make a qcow or qcow2 image of this host the first point of a machine, by the job jobs/ID",
     import_image},
    {"detach",
     {},
     "let go of it, so that its file system can be unmounted; runs fail until it is attached",
     detach},
    {"attach", {}, "take a detached repository again", attach},
    {"take-over", kTakeOver,
     "write there from now on, of root alone, though another host's daemon did not give its lease back; that "
     "daemon writes there no more",
     take_over},
};

}  // namespace

std::span<const Verb> of_repository() { return kRepositoryVerbs; }

}  // namespace holdfast::verbs
