// The parent's side of the confined program that reads version 1 images with libqcow (reader/main.cpp).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "catalog/base/fd.h"
#include "engine/foreign/image_file.h"
#include "engine/foreign/protocol.h"

namespace holdfast::foreign {

struct ReaderOptions {
  std::string program;                         // path of holdfast-qcow; empty: look beside this program
  std::chrono::milliseconds deadline{30'000};  // for each answer
};

// A child process, ended with this object. Its answers are not trusted: lengths are chosen here, and its
// sentences are cleaned. One thread at a time; the child dies with the thread that started it.
class ReaderProcess {
 public:
  // The child has the image's open descriptor and can't open another file. Fails if the child can't be
  // started, refuses the image, or dies of it.
  static Result<std::unique_ptr<ReaderProcess>> start(const ImageFile& image, const ReaderOptions& options);
  ~ReaderProcess();
  ReaderProcess(const ReaderProcess&) = delete;
  ReaderProcess& operator=(const ReaderProcess&) = delete;

  std::uint32_t version() const { return version_; }
  std::uint64_t size() const { return size_; }  // the disk's
  pid_t pid() const { return pid_; }

  // Reads in pieces that end at cluster boundaries. After an error the child has ended, and every read fails.
  Result<> read(std::uint64_t offset, ByteSpan into, std::uint64_t cluster_size);

 private:
  ReaderProcess(std::string image, std::chrono::milliseconds deadline)
      : image_(std::move(image)), deadline_(deadline) {}

  Result<> spawn(const ImageFile& image, const std::string& program);
  Result<> hear_that_it_is_open();
  Result<> read_ahead(std::uint64_t offset, ByteSpan into, std::uint64_t cluster_size);
  Result<> send(const protocol::Request& request);
  Result<protocol::Answer> receive_answer();
  Result<> receive(ByteSpan into);
  tl::unexpected<Error> fail_because_it_ended();
  int end();  // kills the child if need be; returns the status of waitpid()

  const std::string image_;
  const std::chrono::milliseconds deadline_;
  Fd socket_;
  pid_t pid_ = 0;  // 0: the child has ended
  std::uint32_t version_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace holdfast::foreign
