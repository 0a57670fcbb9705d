#include "engine/sources/driver.h"

#include "engine/sources/file/driver.h"
#include "engine/sources/nbd/driver.h"
#include "engine/sources/qmp/driver.h"

namespace holdfast::source {

Driver& driver_for(holdfast::Driver kind) {
  static qmp::QmpDriver qmp;
  static nbd::NbdDriver nbd;
  static file::FileDriver file;
  switch (kind) {
    case holdfast::Driver::qmp: return qmp;
    case holdfast::Driver::nbd: return nbd;
    case holdfast::Driver::file: return file;
  }
  return qmp;
}

}  // namespace holdfast::source
