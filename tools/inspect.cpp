#include "tools/inspect.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "engine/foreign/foreign_image.h"
#include "tools/exit_status.h"

namespace holdfast {

const char* const kInspectUsage = R"(Usage: holdfast inspect IMAGE [--json]

Prints facts about an image, and whether `import` accepts the image: qcow version 1, and qcow2 versions 2 and 3 without
a backing file. For other images it prints the command that makes an importable image.
Reads only the image's tables and changes nothing.

  --json   prints one JSON object, for scripts

Example: holdfast inspect /srv/old/vm.qcow2

Exit status: 0 for an importable image, 1 for an image that can't be imported or read, 2 for a wrong command line.
)";

namespace {

struct Inspection {
  std::string path;
  foreign::Facts facts;
  std::optional<std::uint64_t> stored;  // bytes of the disk that the image has data for
  std::string refusal;                  // "" for an importable image
};

// Resolves links, because the user may name an image by a link; import itself takes none.
std::string real_path(const char* given) {
  std::error_code problem;
  const auto real = std::filesystem::canonical(given, problem);
  return problem ? std::filesystem::absolute(given, problem).string() : real.string();
}

Result<Inspection> look(const char* given) {
  Inspection found{.path = real_path(given)};
  HF_TRY(auto file, foreign::ImageFile::open(found.path));
  HF_TRY(const auto start, file.file());
  HF_TRY(found.facts, foreign::look_at(*start));
  const auto image = foreign::ForeignImage::open(std::move(file));
  if (!image) {
    found.refusal = image.error().message;
    return found;
  }
  found.stored = (*image)->stored();
  found.facts.virtual_size = (*image)->size();
  return found;
}

void print_for_people(const Inspection& found) {
  const foreign::Facts& facts = found.facts;
  const auto line = [](std::string_view what, const std::string& value) {
    if (!value.empty())
      std::printf("%-14.*s %s\n", static_cast<int>(what.size()), what.data(), value.c_str());
  };
  const auto bytes = [](std::uint64_t n) { return fmt::format("{} bytes", n); };
  line("image", found.path);
  line("format", facts.version == 0 ? std::string(to_word(facts.format))
                                    : fmt::format("{}, version {}", to_word(facts.format), facts.version));
  line("file", bytes(facts.file_size));
  if (facts.version != 0) {
    line("disk", bytes(facts.virtual_size));
    if (found.stored) line("data", bytes(*found.stored));
    line("clusters", bytes(facts.cluster_size));
    line("compression", facts.compression);
    line("encryption", std::string(to_word(facts.encryption)));
    line("backing file", facts.backing_file);
    line("data file", facts.data_file);
    if (facts.snapshots != 0)
      line("snapshots", fmt::format("{}; import takes the present disk only", facts.snapshots));
    if (facts.extended_l2) line("L2 entries", "extended");
    if (facts.dirty) line("marked", "not closed");
    if (facts.corrupt) line("marked", "corrupt");
  }
  line("import", found.refusal.empty() ? "yes" : "no");
}

void print_as_json(const Inspection& found) {
  const foreign::Facts& facts = found.facts;
  nlohmann::ordered_json json{{"image", found.path}, {"format", to_word(facts.format)}};
  json["file_size"] = facts.file_size;
  if (facts.version != 0) {
    json["version"] = facts.version;
    json["virtual_size"] = facts.virtual_size;
    json["data_bytes"] = found.stored ? nlohmann::ordered_json(*found.stored) : nlohmann::ordered_json();
    json["cluster_size"] = facts.cluster_size;
    json["compression"] = facts.compression;
    json["encryption"] = to_word(facts.encryption);
    json["backing_file"] = facts.backing_file;
    json["backing_format"] = facts.backing_format;
    json["data_file"] = facts.data_file;
    json["snapshots"] = facts.snapshots;
    json["extended_l2"] = facts.extended_l2;
    json["dirty"] = facts.dirty;
    json["corrupt"] = facts.corrupt;
  }
  json["importable"] = found.refusal.empty();
  json["refusal"] = found.refusal;
  std::printf("%s\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
}

int complain(const std::string& sentence) {
  std::fprintf(stderr, "holdfast: %s\n", sentence.c_str());
  return EXIT_FAILURE;
}

}  // namespace

int inspect(int count, char** words) {
  const char* image = nullptr;
  bool as_json = false;
  for (int i = 0; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--help" || word == "-h") {
      std::fputs(kInspectUsage, stdout);
      return EXIT_SUCCESS;
    }
    if (word == "--json") {
      as_json = true;
    } else if (image == nullptr && !word.starts_with('-') && !word.empty()) {
      image = words[i];
    } else {
      std::fputs(kInspectUsage, stderr);
      return kWrongCommandLine;
    }
  }
  if (image == nullptr) {
    std::fputs(kInspectUsage, stderr);
    return kWrongCommandLine;
  }
  const auto found = look(image);
  if (!found) return complain(found.error().message);
  as_json ? print_as_json(*found) : print_for_people(*found);
  return found->refusal.empty() ? EXIT_SUCCESS : complain(found->refusal);
}

}  // namespace holdfast
