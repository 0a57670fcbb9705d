#include "engine/repository/documents.h"

#include <algorithm>
#include <array>

#include "catalog/model/json_text.h"

namespace holdfast::repository {

std::string manifest_text(const Point& point, const ManifestNames& names, const std::string& machine_key,
                          const std::vector<Layer>& layers) {
  nlohmann::ordered_json stored = manifest(point, names);
  stored["machine_key"] = machine_key;
  stored["point_id"] = point.id;
  stored["flow_id"] = names.flow_id ? nlohmann::ordered_json(*names.flow_id) : nullptr;
  stored["copied_from"] = json::text_or_null(names.copied_from);
  stored["copied_at"] = names.copied_at ? nlohmann::ordered_json(iso_time(*names.copied_at)) : nullptr;
  for (std::size_t i = 0; i < point.disks.size(); ++i) {
    const auto layer = std::ranges::find(layers, point.disks[i].layer_id, &Layer::id);
    stored["disks"][i]["image"] = layer->file.substr(layer->file.rfind('/') + 1);
    stored["disks"][i]["image_id"] = layer->image_id;
  }
  return stored.dump(2) + "\n";
}

Point as_copied(Point point, const Copy& copy, const std::vector<Layer>& layers) {
  const auto settle_reason = [](PointKind kind, std::optional<FullReason>& reason) {
    if (kind == PointKind::incremental)
      reason.reset();
    else if (!reason)
      reason = FullReason::no_parent;
  };
  point.repository_id = copy.repository_id;
  point.chain_id = copy.chain_id;
  point.sequence = copy.sequence;
  point.kind = copy.kind;
  point.bytes_stored = copy.bytes_stored;
  settle_reason(point.kind, point.full_reason);
  for (const CopyDisk& copied : copy.disks) {
    PointDisk& disk = *std::ranges::find(point.disks, copied.disk_id, &PointDisk::disk_id);
    const Layer& layer = *std::ranges::find(layers, copied.layer_id, &Layer::id);
    disk.layer_id = copied.layer_id;
    disk.bytes_stored = copied.bytes_stored;
    disk.sums_sha256 = copied.sums_sha256;
    disk.content_sha256.clear();  // no capture continues from a copy
    disk.kind = layer.parent_layer_id ? PointKind::incremental : PointKind::full;
    settle_reason(disk.kind, disk.full_reason);
  }
  return point;
}

bool is_document(std::string_view name) {
  constexpr auto kDocuments = std::to_array<std::string_view>(
      {"manifest.json", "retired.json", "facts.json", "screenshot.png", "RESTORE.txt"});
  return std::ranges::find(kDocuments, name) != kDocuments.end();
}

std::string restore_text(const Point& point, const ManifestNames& names) {
  std::string text = fmt::format(
      "Restore point {} of machine '{}', taken {} ({}).\n"
      "\n"
      "These are stock qcow2 images. Each names the one that it rests on by a relative path, so keep the\n"
      "directories of this machine side by side. With qemu-img alone, from this directory:\n"
      "\n"
      "The whole machine, into a directory of your choice\n"
      "  to=\"/path/to/restored\"\n"
      "  mkdir -p \"$to\"\n",
      point.name, names.machine, iso_time(point.time), to_word(point.kind));
  for (const PointDisk& disk : point.disks)
    text +=
        fmt::format("  qemu-img convert -p -f qcow2 -O raw {}.qcow2 \"$to\"/{}.raw\n", disk.name, disk.name);
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
         "The newest point of every machine, as MACHINE DIRECTORY (paste all of it into a shell, here):\n"
         "\n"
         "  for machine in */; do\n"
         "    newest=\n"
         "    for point in \"$machine\"2*; do\n"
         "      case $point in *.partial|*.aside) continue ;; esac\n"
         "      [ -e \"$point/manifest.json\" ] && newest=$point\n"
         "    done\n"
         "    [ -n \"$newest\" ] && echo \"$(sed -n 's/^  \"machine\": \"\\(.*\\)\",$/\\1/p' "
         "\"$newest/manifest.json\") $newest\"\n"
         "  done\n"
         "\n"
         "Then `cd` to that directory and follow its RESTORE.txt, which begins with the whole machine.\n"
         "\n"
         "Each directory is one machine, named by the machine's first name. Below it, each directory is one\n"
         "restore point, named by its time in UTC; one that ends in .partial never became a point and is "
         "safe\n"
         "to delete. In a point:\n"
         "\n"
         "  RESTORE.txt      the exact commands to restore this point: start here\n"
         "  manifest.json    what it is: machine, time, full or increment, disks, checksums\n"
         "  DISK.qcow2       the disk; an increment names its parent by a relative path\n"
         "  *.sums           checksums of the image's clusters, for Holdfast\n"
         "  *.content        checksums of what the disk held, by which Holdfast finds changes\n"
         "\n"
         "A directory with retired.json in place of manifest.json is no point any more, but a retired "
         "layer:\n"
         "its images are there because those of later points rest on them, with holes where no point sees\n"
         "them. This lists the retired layers:      ls -d */*/retired.json\n"
         "\n"
         "A name that ends in .aside is something that Holdfast could not judge, or that belongs to nothing; "
         "in\n"
         "this directory such a name begins with a dot. It is safe to delete once nobody needs it.\n"
         "\n"
         "Don't rename, move or delete single points: later ones may rest on them.\n";
}

}  // namespace holdfast::repository
