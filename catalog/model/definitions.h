// What a user writes into config.json, one struct a kind: references are names, as written. Defaults
// here are the defaults of the contract. definition_json.cpp lists the fields once, for reading,
// writing and for the schema; the stores keep them as columns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog/model/enumerations.h"

namespace holdfast {

struct DiskDefinition {
  std::string name;
  std::string node;  // qmp: the block node that the guest writes to

  bool operator==(const DiskDefinition&) const = default;
};

struct MachineDefinition {
  std::string description;
  std::vector<std::string> tags;
  Driver driver = Driver::qmp;
  std::string socket;  // qmp
  std::vector<DiskDefinition> disks;

  bool operator==(const MachineDefinition&) const = default;
};

struct RepositoryDefinition {
  std::string description;
  std::vector<std::string> tags;
  std::string path;
  Compression compression = Compression::zstd;
  int compression_level = 1;
  std::uint64_t cluster_size = 65536;
  bool read_only = false;

  bool operator==(const RepositoryDefinition&) const = default;
};

struct FlowDefinition {
  std::string description;
  std::vector<std::string> tags;
  FlowType type = FlowType::backup;
  std::string target;      // "machines/m"
  std::string repository;  // "r"
  bool enabled = true;

  bool operator==(const FlowDefinition&) const = default;
};

}  // namespace holdfast
