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
  // Makes these the machine's configured disks. A disk whose name is known stays the same disk.
  Result<> define(Id machine, const std::vector<DiskDefinition>& definitions);
  // Adds a disk that the definition doesn't name, unless its name is known. The point that is being written
  // is about to hold it.
  Result<> add_unconfigured(Id machine, std::string_view name);
  // Removes disks that are out of the definition and that no point holds. While a capture runs all stay,
  // because it is about to commit a point that may hold them.
  Result<> prune(Id machine);
  Result<> set_capacity(Id disk, std::uint64_t capacity);
  Result<> set_source_identity(Id disk, std::string_view identity);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
