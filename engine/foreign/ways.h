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

// "…; what can be read of it is saved by `qemu-img …`", for an image whose tables or clusters are not what
// they should be.
Error damaged(const std::string& path, const Facts& facts, const Error& why);

// The command that makes a plain image of any that QEMU reads.
std::string convert_command(const std::string& path, const Facts& facts);

}  // namespace holdfast::foreign
