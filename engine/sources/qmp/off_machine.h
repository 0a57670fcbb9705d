// A machine that is off: nobody answers at its socket, and nobody has its images open for writing.
#pragma once

#include <vector>

#include "engine/sources/as_it_is.h"
#include "engine/sources/file/image.h"

namespace holdfast::source::qmp {

// Reads the disks from their image files, which stay unchanged while the machine is off. So all disks are one
// instant (law 4). A QEMU that starts gets its images, and the capture ends (law 8).
//
// The parent's bitmap names the changes if the image has it; otherwise all of a disk is read and compared
// with the parent. A bitmap can't be replaced in an image that nobody may write to. It goes on recording as
// the new point's change id, too, and then names more than has changed since that point (law 3).
class OffMachine final : public AsItIs {
 public:
  // Whether the error of a connection to a machine's socket means that the machine may be off.
  static bool may_be_off(const Error& of_socket);
  // Whether the definition names an image for each disk.
  static Result<bool> has_images(const MachineDefinition& machine);

  // EBUSY: a QEMU has an image open for writing.
  static Result<std::unique_ptr<OffMachine>> open(const PrepareRequest& request, const nbd::Limits& limits);

  Result<std::unique_ptr<DiskReader>> open(std::size_t disk) override;

 private:
  struct Source {
    file::Image image;
    std::string bitmap;                           // the parent's; "" if everything is read
    std::unique_ptr<nbd::Connection> connection;  // to a qemu-nbd that serves the bitmap, until it is used
  };

  explicit OffMachine(const nbd::Limits& limits)
      : AsItIs(system_clock().now(), Consistency::crash), limits_(limits) {}
  Result<> add(const DiskRequest& request);
  Result<> check_idle() const;

  const nbd::Limits limits_;
  std::vector<Source> sources_;
};

}  // namespace holdfast::source::qmp
