// The field `by` of events, executions, pins and verdicts: one shape in all of them.
#pragma once

#include <nlohmann/json.hpp>

#include "catalog/model/entities.h"

namespace holdfast {

// Returns the caller's uid, gid and pid. `absent` stands for no caller: "daemon", or null where the caller is
// unknown.
inline nlohmann::ordered_json caller_or(const std::optional<Caller>& caller, nlohmann::ordered_json absent) {
  if (!caller) return absent;
  return {{"uid", caller->uid}, {"gid", caller->gid}, {"pid", caller->pid}};
}

}  // namespace holdfast
