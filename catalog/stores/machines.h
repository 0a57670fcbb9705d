#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"
#include "catalog/stores/object_store.h"

namespace holdfast {

// Machines and their disks. Lives inside one transaction.
class Machines : public ObjectStore {
 public:
  explicit Machines(db::Connection& connection)
      : ObjectStore(connection, {DefinitionKind::machine, "machines"}) {}

  Result<Machine> add(std::string_view name, const Ownership& ownership, Time now);  // EEXIST
  Result<Machine> get(Id id);                                                        // ENOENT
  Result<> define(Id id, const MachineDefinition& definition, Time now);
  Result<> remove(Id id);  // EBUSY while it has points or a flow names it, with their names

  Result<std::vector<Disk>> disks(Id machine);  // configured ones first, in the order of the definition
  // Adds a disk of that name for a point that is about to hold it; the definition need not name it.
  Result<> add_disk(Id machine, std::string_view name);
  Result<> set_capacity(Id disk, std::uint64_t capacity);
  // Stores the source's own name of the disk, as last seen.
  Result<> set_source_identity(Id disk, std::string_view identity);
  // Machines that no enabled flow backs up, and that are not retired.
  Result<std::vector<Id>> without_flow(int at_most);
  // Machines that may have something to warn of: an objective, damaged points or copies, an incomplete
  // pruning, leftovers at their source.
  Result<std::vector<Id>> to_look_at(int at_most);
  // Makes the revision grow, because something told of the machine changed outside of its row.
  Result<> touch(Id id);
};

}  // namespace holdfast
