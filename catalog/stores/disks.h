#pragma once

#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// The disks of machines, as the stores of machines and points share them.
class Disks {
 public:
  explicit Disks(db::Connection& connection) : db_(connection) {}

  Result<std::vector<Disk>> of_machine(Id machine);
  Result<std::vector<DiskDefinition>> definitions(Id machine);
  // Makes these the machine's disks. One that is known by its name stays the same disk.
  Result<> define(Id machine, const std::vector<DiskDefinition>& definitions);
  // One that the definition doesn't name, unless there is one of that name already. To be held by the point
  // that is being written.
  Result<> add_unconfigured(Id machine, std::string_view name);
  // Removes those that are out of the definition and that no point holds. While a capture runs, all
  // stay: it is about to commit a point that may hold them.
  Result<> prune(Id machine);
  Result<> set_capacity(Id disk, std::uint64_t capacity);
  Result<> set_source_identity(Id disk, std::string_view identity);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
