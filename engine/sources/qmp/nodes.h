// What a source says of its block nodes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sources/qmp/source.h"

namespace holdfast::source::qmp {

struct Bitmap {
  std::string name;
  bool recording = false;
  bool busy = false;
  bool persistent = false;
  bool inconsistent = false;
};

struct Node {
  std::string name;
  std::string driver;
  std::string file;          // as QEMU names it: a path, or json:{…}
  std::string path;          // the same as it is reached from here, if it can be
  std::string backing_file;  // "" for none
  std::uint64_t size = 0;
  bool read_only = false;
  bool corrupt = false;            // QEMU has found the image's metadata to be broken
  bool can_store_bitmaps = false;  // qcow2 v3
  std::vector<Bitmap> bitmaps;     // those with a name: jobs have unnamed ones

  const Bitmap* bitmap(std::string_view bitmap_name) const;
};

// One look at all of them.
class Nodes {
 public:
  static Result<Nodes> of(Source& source);

  const Node* find(std::string_view name) const;
  const std::vector<Node>& all() const { return nodes_; }
  // "disk0, disk1": those that a person has named.
  std::string names() const;

 private:
  std::vector<Node> nodes_;
};

}  // namespace holdfast::source::qmp
