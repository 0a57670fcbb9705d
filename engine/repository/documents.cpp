#include "engine/repository/documents.h"

#include <nlohmann/json.hpp>

namespace holdfast::repository {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

template <class E>
Json word_or_null(const std::optional<E>& value) {
  return value ? Json(std::string{to_word(*value)}) : Json();
}

}  // namespace

std::string manifest_text(const Point& point, const ManifestNames& names, const std::vector<Layer>& layers) {
  Json disks = Json::array();
  for (const PointDisk& disk : point.disks) {
    const auto layer = std::ranges::find(layers, disk.layer_id, &Layer::id);
    disks.push_back({{"name", disk.name},
                     {"capacity", disk.capacity},
                     {"kind", to_word(disk.kind)},
                     {"reason", word_or_null(disk.full_reason)},
                     {"bytes_stored", disk.bytes_stored},
                     {"bytes_used", disk.bytes_used},
                     {"change_id", text_or_null(disk.change_id)},
                     {"image", layer->file.substr(layer->file.rfind('/') + 1)},
                     {"image_id", layer->image_id},
                     {"sums_sha256", disk.sums_sha256}});
  }
  const Json manifest{{"id", point.name},
                      {"machine", names.machine},
                      {"machine_key", names.machine_key},
                      {"time", iso_time(point.time)},
                      {"kind", to_word(point.kind)},
                      {"reason", word_or_null(point.full_reason)},
                      {"consistency", to_word(point.consistency)},
                      {"repository", names.repository},
                      {"chain", std::to_string(point.chain_id)},
                      {"parent", text_or_null(names.parent)},
                      {"flow", text_or_null(point.flow)},
                      {"execution", text_or_null(point.execution)},
                      {"cluster_size", point.cluster_size},
                      {"compression", to_word(point.compression)},
                      {"bytes_stored", point.bytes_stored},
                      {"disks", std::move(disks)}};
  return manifest.dump(2) + "\n";
}

std::string restore_text(const Point& point, const ManifestNames& names) {
  std::string text = fmt::format(
      "Restore point {} of machine '{}', taken {} ({}).\n"
      "\n"
      "These are stock qcow2 images. Each names the one that it rests on by a relative path, so keep the\n"
      "directories of this machine side by side. With qemu-img alone, from this directory:\n",
      point.name, names.machine, iso_time(point.time), to_word(point.kind));
  for (const PointDisk& disk : point.disks)
    text += fmt::format(
        "\n"
        "Disk {} ({} bytes)\n"
        "  look:             qemu-img info --backing-chain -f qcow2 {}.qcow2\n"
        "  check:            qemu-img check -f qcow2 {}.qcow2\n"
        "  to a raw file:    qemu-img convert -p -f qcow2 -O raw {}.qcow2 /path/to/restored.raw\n"
        "  to a flat qcow2:  qemu-img convert -p -f qcow2 -O qcow2 {}.qcow2 /path/to/restored.qcow2\n"
        "  to a device:      qemu-img convert -n -p -f qcow2 -O raw {}.qcow2 /dev/DEVICE\n",
        disk.name, disk.capacity, disk.name, disk.name, disk.name, disk.name, disk.name);
  return text;
}

std::string index_text() {
  return "This is a Holdfast repository. Nothing but qemu-img is needed to restore from it.\n"
         "\n"
         "Each directory is one machine; its manifest.json files carry the machine's name. Below it,\n"
         "each directory is one restore point, named by its time in UTC; one that ends in .partial never\n"
         "became a point and is safe to delete. In a point:\n"
         "\n"
         "  RESTORE.txt      the exact commands to restore this point: start here\n"
         "  manifest.json    what it is: machine, time, full or increment, disks, checksums\n"
         "  DISK.qcow2       the disk; an increment names its parent by a relative path\n"
         "  *.sums           checksums of the image's clusters, for Holdfast\n"
         "\n"
         "The newest point of every machine:   ls -d */2* | sort\n"
         "Which machine is this directory:      grep -h '\"machine\"' */*/manifest.json | sort -u\n"
         "\n"
         "Don't rename, move or delete single points: later ones may rest on them.\n";
}

}  // namespace holdfast::repository
