#include "engine/image/codec.h"

#include <libdeflate.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace holdfast::image {
namespace {

class NoCompressor final : public Compressor {
 public:
  std::size_t compress(ByteView, ByteSpan) override { return 0; }
};

class ZstdCompressor final : public Compressor {
 public:
  explicit ZstdCompressor(int level) : context_(ZSTD_createCCtx(), ZSTD_freeCCtx) {
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
  }

  std::size_t compress(ByteView cluster, ByteSpan into) override {
    const std::size_t n =
        ZSTD_compress2(context_.get(), into.data(), into.size(), cluster.data(), cluster.size());
    return ZSTD_isError(n) ? 0 : n;
  }

 private:
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context_;
};

// Uses zlib, because libdeflate can't limit its window to the 4 KiB that readers of qcow2 must support.
class DeflateCompressor final : public Compressor {
 public:
  explicit DeflateCompressor(int level) {
    constexpr int kRawWith4KiBWindow = -12, kMemory = 9;
    ready_ =
        deflateInit2(&stream_, level, Z_DEFLATED, kRawWith4KiBWindow, kMemory, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~DeflateCompressor() override { deflateEnd(&stream_); }
  DeflateCompressor(const DeflateCompressor&) = delete;

  std::size_t compress(ByteView cluster, ByteSpan into) override {
    if (!ready_ || deflateReset(&stream_) != Z_OK) return 0;
    // zlib's interface has no const, and 32-bit counters; a cluster has at most 2 MiB.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(cluster.data()));
    stream_.avail_in = static_cast<uInt>(cluster.size());
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(into.size());
    return deflate(&stream_, Z_FINISH) == Z_STREAM_END ? into.size() - stream_.avail_out : 0;
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

Result<> check_level(const char* codec, int level, int most) {
  if (level < 1 || level > most)
    return fail(EINVAL, "compression level is {}; {} has levels 1 to {}", level, codec, most);
  return {};
}

// Returns the length of the stream.
Result<std::size_t> inflate(ByteView slot, ByteSpan cluster) {
  thread_local const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)>
      decompressor(libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  std::size_t consumed = 0;
  const auto outcome = libdeflate_deflate_decompress_ex(decompressor.get(), slot.data(), slot.size(),
                                                        cluster.data(), cluster.size(), &consumed, nullptr);
  if (outcome != LIBDEFLATE_SUCCESS)
    return fail_damaged(EIO, "these bytes are no deflate stream of a cluster");
  return consumed;
}

Result<> unzstd(ByteView slot, ByteSpan cluster) {
  thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                                  ZSTD_freeDCtx);
  // A cluster has at most 2 MiB, so a frame that asks for a much larger window is damaged or malicious.
  constexpr int kLargestWindowLog = 24;
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only);
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kLargestWindowLog);
  ZSTD_inBuffer in{slot.data(), slot.size(), 0};
  ZSTD_outBuffer out{cluster.data(), cluster.size(), 0};
  while (out.pos < out.size) {
    const ZSTD_inBuffer before = in;
    const std::size_t made = out.pos;
    const std::size_t hint = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation)
      return fail(ENOMEM, "no memory is left to decompress a cluster");
    if (ZSTD_isError(hint))
      return fail_damaged(EIO, "these bytes are no zstd stream of a cluster ({})", ZSTD_getErrorName(hint));
    if (in.pos == before.pos && out.pos == made) return fail_damaged(EIO, "the zstd stream ends early");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Compressor>> Compressor::make(Codec codec, int level) {
  switch (codec) {
    case Codec::zstd:
      HF_CHECK(check_level("zstd", level, ZSTD_maxCLevel()));
      return std::make_unique<ZstdCompressor>(level);
    case Codec::deflate:
      HF_CHECK(check_level("deflate", level, 9));
      return std::make_unique<DeflateCompressor>(level);
    case Codec::none: return std::make_unique<NoCompressor>();
  }
  return fail(EINVAL, "there is no such codec");
}

Result<> decompress(bool zstd, ByteView slot, ByteSpan cluster) {
  if (zstd) return unzstd(slot, cluster);
  HF_CHECK(inflate(slot, cluster));
  return {};
}

Result<std::size_t> stream_length(bool zstd, ByteView slot, ByteSpan cluster) {
  if (!zstd) return inflate(slot, cluster);
  const std::size_t length = ZSTD_findFrameCompressedSize(slot.data(), slot.size());
  if (ZSTD_isError(length)) return fail_damaged(EIO, "these bytes are no zstd stream of a cluster");
  return length;
}

}  // namespace holdfast::image
