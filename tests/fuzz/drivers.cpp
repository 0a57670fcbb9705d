// The table of source drivers without what they do: a fuzzer of definitions needs their fields alone.
#include "engine/sources/drivers.h"

#include "engine/sources/file/fields.h"
#include "engine/sources/nbd/fields.h"
#include "engine/sources/qmp/fields.h"

namespace holdfast::source {
namespace {

class Nothing final : public Driver {
 public:
  Result<std::unique_ptr<Capture>> prepare(const PrepareRequest&, Ledger&) override { return unable(); }
  Result<> sweep(const MachineDefinition&, std::span<const Leftover>, PointFate, Ledger&) override {
    return unable();
  }
  Result<std::vector<HostName>> host_names(const MachineDefinition&) override { return unable(); }
  Result<std::vector<Discovered>> discover(const MachineDefinition&) override { return unable(); }

 private:
  static tl::unexpected<Error> unable() { return fail(ENOSYS, "this driver has fields alone"); }
};

}  // namespace

std::span<const Registration> drivers() {
  static Nothing nothing;
  static const Registration all[] = {
      {"qmp", nothing, qmp::fields()}, {"nbd", nothing, nbd::fields()}, {"file", nothing, file::fields()}};
  return all;
}

}  // namespace holdfast::source
