// An image that somebody else made, read as the disk that it is.
//
// By the image's first bytes and its header it is decided who reads it: version 2 and 3 our own stack of one
// layer (engine/image), version 1 libqcow in a confined child (reader_process.h), each cluster after our own
// parser has found it in the file (qcow1.h). Whatever neither reads rightly is refused with the command that
// makes something readable of it (ways.h). A backing file is never followed.
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

// One thread at a time, and the one that opened it lives as long: the child of a version 1 image dies with
// it.
class ForeignImage {
 public:
  // Reads all tables once, so that what is cut off is refused here and not when half of it has been copied.
  // EINVAL: it can't be read rightly; the sentence names the way.
  static Result<std::unique_ptr<ForeignImage>> open(ImageFile file, const ReaderOptions& options = {});
  virtual ~ForeignImage() = default;

  const std::string& path() const { return file_.path(); }
  const Facts& facts() const { return facts_; }
  std::uint64_t stored() const { return stored_; }  // bytes of the disk that the image has data for

  virtual std::uint64_t size() const = 0;
  // All of `into`, or an error: wrong bytes are never handed out. offset + into.size() must lie on the disk.
  virtual Result<> read(std::uint64_t offset, ByteSpan into) = 0;

  struct Extent {
    bool data = false;  // otherwise it reads as zeros, and need not be read
    std::uint64_t length = 0;
  };
  // What `offset` is in, from there on, at most `at_most` long.
  virtual Result<Extent> extent(std::uint64_t offset, std::uint64_t at_most) = 0;

  // EBUSY when somebody has written to the file since it was opened: what was read may be of two times.
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
