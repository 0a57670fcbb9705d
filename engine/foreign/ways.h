// Refusals of images that can't be imported, each with the command that makes an image that can.
#pragma once

#include <optional>
#include <string>

#include "catalog/base/error.h"
#include "engine/foreign/facts.h"

namespace holdfast::foreign {

// EINVAL, with a sentence that ends in the command, if the header shows that the image can't be read
// correctly.
Result<> check_readable(const std::string& path, const Facts& facts);

// Adds the command to an error from an image's tables, and makes it EINVAL. `why` is ENOTSUP if the image may
// be sound, EINVAL or EIO if it is damaged. Any other error is returned unchanged.
Error with_way(const std::string& path, const Facts& facts, const Error& why);

}  // namespace holdfast::foreign
