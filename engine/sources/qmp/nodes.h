// The block nodes of a source.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sources/qmp/monitor.h"

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
  std::string file;          // QEMU's name of the file: a path, or json:{…}
  std::string backing_file;  // "" if there is none
  std::uint64_t size = 0;
  bool read_only = false;
  bool corrupt = false;            // QEMU has found the image's metadata to be corrupt
  bool can_store_bitmaps = false;  // qcow2 version 3
  std::vector<Bitmap> bitmaps;     // named bitmaps only; those of jobs have no name

  const Bitmap* bitmap(std::string_view bitmap_name) const;
};

// A snapshot of all nodes.
class Nodes {
 public:
  static Result<Nodes> of(Monitor& monitor);

  const Node* find(std::string_view name) const;
  const std::vector<Node>& all() const { return nodes_; }
  const Peer& peer() const { return peer_; }  // opens their files
  // Returns the names that a person gave: "disk0, disk1".
  std::string names() const;

 private:
  explicit Nodes(Peer peer) : peer_(std::move(peer)) {}

  Peer peer_;
  std::vector<Node> nodes_;
};

}  // namespace holdfast::source::qmp
