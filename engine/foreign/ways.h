// What can't be imported as it is, and the command that makes something of it that can.
#pragma once

#include <optional>
#include <string>

#include "catalog/base/error.h"
#include "engine/foreign/facts.h"

namespace holdfast::foreign {

// EINVAL, with a sentence that ends in the command, for an image that doesn't lie in what is read rightly
// here by what its header says.
Result<> check_readable(const std::string& path, const Facts& facts);

// The same, for what is found in an image's tables: EINVAL with the way. `why` is ENOTSUP when nothing is
// wrong with the image, EINVAL or EIO when something is; any other error has no way, and stays as it is.
Error with_way(const std::string& path, const Facts& facts, const Error& why);

}  // namespace holdfast::foreign
