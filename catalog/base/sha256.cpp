#include "catalog/base/sha256.h"

#include <openssl/evp.h>

#include <algorithm>

namespace holdfast {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr);
}

Sha256::~Sha256() = default;

void Sha256::update(ByteView bytes) { EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()); }

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EVP_DigestFinal_ex(state_->context, digest, &length);
  return to_hex(std::as_bytes(std::span{digest, length}));
}

std::string sha256_hex(ByteView bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.hex();
}

Result<std::string> sha256_hex(const File& file, const std::function<Result<>()>& watch) {
  HF_TRY(const std::uint64_t size, file.size());
  Sha256 digest;
  Bytes piece(std::min<std::uint64_t>(size, 256 * kKiB));
  for (std::uint64_t offset = 0; offset < size; offset += piece.size()) {
    const std::size_t wanted = std::min<std::uint64_t>(piece.size(), size - offset);
    HF_TRY(const std::size_t got, file.read_at(offset, ByteSpan{piece}.first(wanted)));
    if (got != wanted)
      return fail_damaged(EIO, "{} ends at {} where {} bytes were written", file.name(), offset + got, size);
    digest.update(ByteView{piece}.first(wanted));
    if (watch) HF_CHECK(watch());
  }
  return digest.hex();
}

}  // namespace holdfast
