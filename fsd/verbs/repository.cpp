#include "fsd/verbs/test.h"
#include "fsd/verbs/verify.h"

namespace holdfast::verbs {
namespace {

using enum Argument::Type;

constexpr Argument kImport[] = {
    {"file", path, "FILE", true},
    {"machine", name, "MACHINE", true},
    {"disk", name, "DISK"},
    {"name", new_name, "ID"},
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

constexpr Verb kRepositoryVerbs[] = {
    {"test", kTest, "look whether it is there, can be written to and has room, by a job",
     test<ObjectKind::repository>},
    verify_verb<ObjectKind::repository>(
        "read all its points, and compare them with their checksums, by a job"),
    {"import", kImport,
     "make a qcow or qcow2 image of this host the first point of a machine, by a job to be seen at once as "
     "jobs/ID",
     import_image},
};

}  // namespace

std::span<const Verb> of_repository() { return kRepositoryVerbs; }

}  // namespace holdfast::verbs
