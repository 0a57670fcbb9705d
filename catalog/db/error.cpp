#include "catalog/db/error.h"

namespace holdfast::db {
namespace {

int errno_of(Kind kind) {
  switch (kind) {
    case Kind::unique: return EEXIST;
    case Kind::foreign_key: return EBUSY;
    case Kind::not_null:
    case Kind::check: return EINVAL;
    case Kind::retry: return EAGAIN;
    case Kind::full: return ENOSPC;
    case Kind::lost: return EIO;
  }
  return EIO;
}

}  // namespace

Error::operator holdfast::Error() const { return {errno_of(kind), "catalog: " + message}; }

}  // namespace holdfast::db
