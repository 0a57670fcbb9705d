#include "engine/foreign/ways.h"

namespace holdfast::foreign {
namespace {

// Quotes a word for a shell's command line.
std::string quoted(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:=@%,";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return word + "'";
}

// Doubles commas, as QEMU's option lists require.
std::string as_option(const std::string& text) {
  std::string value;
  for (const char c : text) value += c == ',' ? ",," : std::string{c};
  return value;
}

std::string target(const std::string& path) { return quoted(path + ".plain.qcow2"); }

std::string convert_command(const std::string& path, const Facts& facts) {
  return fmt::format("qemu-img convert -f {} -O qcow2 {} {}", to_word(facts.format), quoted(path),
                     target(path));
}

// Names a place outside of the image's directory, because an increment may lie in a repository.
std::string flatten_command(const std::string& path, const Facts& facts) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return fmt::format("qemu-img convert -f {} -O qcow2 {} {}", to_word(facts.format), quoted(path),
                     target("/var/tmp/" + name));
}

std::string decrypt_command(const std::string& path, const Facts& facts) {
  const std::string format = facts.encryption == Encryption::aes ? "encrypt.format=aes," : "";
  const std::string key = facts.format == Format::luks ? "key-secret=key" : format + "encrypt.key-secret=key";
  return fmt::format(
      "qemu-img convert --object secret,id=key,file=KEYFILE --image-opts {} -O qcow2 {}",
      quoted(fmt::format("driver={},{},file.filename={}", to_word(facts.format), key, as_option(path))),
      target(path));
}

tl::unexpected<Error> refuse(const std::string& path, std::string_view why, std::string_view way,
                             const std::string& command) {
  return fail(EINVAL, "{} {}; {} by `{}`", path, why, way, command);
}

}  // namespace

Result<> check_readable(const std::string& path, const Facts& facts) {
  constexpr std::string_view kPlain = "make a plain image from it";
  const std::string convert = convert_command(path, facts);
  const bool qcow2 = facts.format == Format::qcow2;
  if (facts.format == Format::luks || facts.encryption == Encryption::aes ||
      facts.encryption == Encryption::luks)
    return refuse(path,
                  fmt::format("is encrypted ({})",
                              to_word(facts.format == Format::luks ? Encryption::luks : facts.encryption)),
                  "with its key in KEYFILE, make a plain image from it", decrypt_command(path, facts));
  if (facts.format == Format::raw)
    return refuse(path, "has no mark of any image format", "if it is a raw disk, make an image from it",
                  convert);
  if (facts.format != Format::qcow && !qcow2)
    return refuse(path, fmt::format("is a {} image, not qcow or qcow2", to_word(facts.format)), kPlain,
                  convert);
  if (facts.version > 3 || facts.version == 0)
    return refuse(path,
                  fmt::format("is qcow2 of version {}; versions 1, 2 and 3 are supported", facts.version),
                  kPlain, convert);
  if (facts.encryption == Encryption::unknown)
    return refuse(path, "is encrypted by an unknown method", kPlain, convert);
  const std::string repair =
      fmt::format("qemu-img check -f {} -r all {}", to_word(facts.format), quoted(path));
  if (facts.dirty)
    return refuse(path, "was not closed properly (its dirty bit is set)",
                  "once no machine uses it, repair it", repair);
  if (facts.corrupt)
    return refuse(path, "is marked as corrupt", "take another copy of it, or repair it", repair);
  if (!facts.data_file.empty())
    return refuse(path, fmt::format("keeps its data in another file, {}", facts.data_file), kPlain, convert);
  if (facts.extended_l2) return refuse(path, "has extended L2 entries", kPlain, convert);
  if (facts.unknown_features != 0)
    return refuse(path, fmt::format("needs unsupported features ({:#x})", facts.unknown_features), kPlain,
                  convert);
  if (!facts.backing_file.empty())
    return refuse(path, fmt::format("has the backing file {}", facts.backing_file),
                  "make one flat image of it, and not in a repository,", flatten_command(path, facts));
  return {};
}

Error with_way(const std::string& path, const Facts& facts, const Error& why) {
  switch (why.code) {
    case ENOTSUP:
      return {EINVAL, fmt::format("{}; make a plain image from it by `{}`", why.message,
                                  convert_command(path, facts))};
    case EINVAL:
    case EIO:
      return {EINVAL,
              fmt::format("{}; take another copy of it, or save its readable parts, with zeros for the "
                          "rest, by `qemu-img convert --salvage -f {} -O qcow2 {} {}`",
                          why.message, to_word(facts.format), quoted(path), target(path))};
    default: return why;
  }
}

}  // namespace holdfast::foreign
