#include "engine/sources/driver.h"

#include "engine/sources/qmp/driver.h"

namespace holdfast::source {

Driver& driver_for(holdfast::Driver kind) {
  static qmp::QmpDriver qmp;
  switch (kind) {
    case holdfast::Driver::qmp: return qmp;
  }
  return qmp;
}

}  // namespace holdfast::source
