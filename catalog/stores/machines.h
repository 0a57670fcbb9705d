#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Machines and their disks. Lives inside one transaction.
class Machines {
 public:
  explicit Machines(db::Connection& connection) : db_(connection) {}

  Result<Machine> add(std::string_view name, const Ownership& ownership, Time now);  // EEXIST
  Result<Machine> get(Id id);                                                        // ENOENT
  Result<std::optional<Id>> find(std::string_view name);
  Result<std::vector<Named>> list();
  Result<> rename(Id id, std::string_view name, Time now);  // EEXIST
  Result<> define(Id id, const MachineDefinition& definition, Time now);
  Result<> remove(Id id);  // EBUSY while it has points or a flow names it, with their names

  Result<std::vector<Disk>> disks(Id machine);  // configured ones first, in the order of the definition
  Result<> set_capacity(Id disk, std::uint64_t capacity);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
