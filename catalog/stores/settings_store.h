#pragma once

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// The daemon's settings. Lives inside one transaction.
class SettingsStore {
 public:
  explicit SettingsStore(db::Connection& connection) : db_(connection) {}

  Result<Settings> get();  // the defaults until something was defined
  Result<> define(const SettingsDefinition& definition, Time now);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
