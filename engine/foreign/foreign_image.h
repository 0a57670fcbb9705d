// Reads an image that another program made, as a disk.
//
// The first bytes and the header decide who reads the image. A stack of one layer (engine/image) reads
// versions 2 and 3. libqcow reads version 1 in a confined child (reader_process.h), and only clusters that
// our own parser has found in the file (qcow1.h). An image that neither reads correctly is refused, with the
// command that converts it (ways.h). A backing file is never followed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "engine/foreign/facts.h"
#include "engine/foreign/image_file.h"
#include "engine/foreign/reader_process.h"

namespace holdfast::foreign {

// One thread at a time. The thread that opened the image must outlive it, because the child of a version 1
// image dies with that thread.
class ForeignImage {
 public:
  // Reads all tables once, so that an incomplete image is refused now and not after half of it was copied.
  // EINVAL: the image can't be read correctly; the sentence names the command that helps.
  static Result<std::unique_ptr<ForeignImage>> open(ImageFile file, const ReaderOptions& options = {});
  virtual ~ForeignImage() = default;

  const std::string& path() const { return file_.path(); }
  const Facts& facts() const { return facts_; }
  std::uint64_t stored() const { return stored_; }  // bytes of the disk that have data

  virtual std::uint64_t size() const = 0;
  // Fills all of `into`, or fails; never returns wrong bytes. offset + into.size() must lie within the disk.
  virtual Result<> read(std::uint64_t offset, ByteSpan into) = 0;

  struct Extent {
    bool data = false;  // otherwise it reads as zeros
    std::uint64_t length = 0;
  };
  // Returns the extent at `offset`, at most `at_most` long.
  virtual Result<Extent> extent(std::uint64_t offset, std::uint64_t at_most) = 0;

  // EBUSY if the file was written to since open(), so that the bytes read may be of two instants.
  Result<> check_unchanged() const { return file_.check_unchanged(); }

 protected:
  ForeignImage(ImageFile file, Facts facts) : file_(std::move(file)), facts_(std::move(facts)) {}

 private:
  Result<> count_stored();

  ImageFile file_;
  Facts facts_;
  std::uint64_t stored_ = 0;
};

}  // namespace holdfast::foreign
