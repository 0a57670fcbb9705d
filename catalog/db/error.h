#pragma once

#include <string>
#include <tl/expected.hpp>

#include "catalog/base/error.h"

namespace holdfast::db {

// Kinds of errors that every database engine has.
enum class Kind {
  unique,       // the value is taken
  foreign_key,  // refers to a row that is not there, or is referred to
  not_null,
  check,
  retry,  // busy or serialisation: the same transaction may succeed if it is run again
  full,   // no room for it
  lost,   // the connection or the file is gone, or anything else: nothing more can be said
};

struct Error {
  Kind kind = Kind::lost;
  std::string message;
  std::string constraint;  // "flows.name", where the engine tells

  // For callers that have nothing better to say: unique → EEXIST, foreign_key → EBUSY, not_null and
  // check → EINVAL, retry → EAGAIN, full → ENOSPC, lost → EIO.
  operator holdfast::Error() const;
};

template <class T = void>
using Result = tl::expected<T, Error>;

}  // namespace holdfast::db
