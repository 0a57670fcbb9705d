// Keeps a state directory that is not mounted from becoming a new, empty catalog in silence.
//
//   PARENT/.STATE.catalog   beside the state directory: the key of the catalog that it has
//
// The file lies outside of the state directory, so it is there when the state directory's file system is not.
// A file system that holds the parent as well leaves no trace when it is absent.
#pragma once

#include <string>

#include "catalog/base/error.h"

namespace holdfast {

// Returns ENOMEDIUM if the state directory had a catalog and has none.
Result<> check_state(const std::string& state);
// Notes that the state directory has this catalog.
Result<> note_state(const std::string& state, const std::string& catalog_key);

}  // namespace holdfast
