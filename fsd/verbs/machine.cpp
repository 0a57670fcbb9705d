// What may be asked of a machine, and of its points.
#include "fsd/verbs/verify.h"

namespace holdfast::verbs {
namespace {

constexpr Verb kMachine[] = {verify_verb<ObjectKind::machine>(
    "read all its points in the repository, and compare them with their checksums, by a job")};
constexpr Verb kPoint[] = {verify_verb<ObjectKind::point>(
    "read what is stored of it, and compare it with its checksums, by a job; "
    "level=quick looks at the files only, level=compare also has QEMU read it")};

}  // namespace

std::span<const Verb> of_machine() { return kMachine; }
std::span<const Verb> of_point() { return kPoint; }

}  // namespace holdfast::verbs
