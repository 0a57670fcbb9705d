#include "catalog/base/error.h"

#include <cstring>

namespace holdfast {

std::string describe_errno(int code) {
  char buffer[256];
  return strerror_r(code, buffer, sizeof buffer);
}

}  // namespace holdfast
