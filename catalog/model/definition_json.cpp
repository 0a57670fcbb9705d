#include "catalog/model/definition_json.h"

#include "catalog/model/json_shape.h"

namespace holdfast {
namespace {

using json::field;
using json::Json;
using json::Need;
using json::Rule;
using json::Setter;
using json::Shape;

template <class D>
const Shape<D>& shape();

const json::Value<std::vector<std::string>>& tags() {
  static const auto value =
      json::list(json::text_not_empty(), 0, "a list of text", [](const std::string& tag) { return tag; });
  return value;
}

template <>
const Shape<DiskDefinition>& shape() {
  using D = DiskDefinition;
  static const Shape<D> disk{"A disk of the machine.",
                             {
                                 field("name", &D::name, json::name(),
                                       "What the disk is called here, once in the machine.", Need::required),
                                 field("node", &D::node, json::text_not_empty(),
                                       "The block node that the guest writes to.", Need::required),
                             },
                             {}};
  return disk;
}

template <>
const Shape<MachineDefinition>& shape() {
  using D = MachineDefinition;
  static const Shape<D> machine{
      "Something with disks that is backed up.",
      {
          field("description", &D::description, json::text(), "For people."),
          field("tags", &D::tags, tags(), "Words to find it by."),
          field("driver", &D::driver, json::word<Driver>(), "How Holdfast speaks to it.", Need::required),
          field("socket", &D::socket, json::socket_path(), "The QMP socket of its QEMU or storage daemon.",
                Need::required, Setter::root),
          field("disks", &D::disks,
                json::list(json::object(shape<DiskDefinition>()), 1, "a list of at least one disk",
                           &DiskDefinition::name),
                "The disks that belong to a point, in their order.", Need::required),
      },
      {}};
  return machine;
}

template <>
const Shape<RepositoryDefinition>& shape() {
  using D = RepositoryDefinition;
  static constexpr int kMostOfDeflate = 9;
  static const Rule<D> deflate_levels{
      {{"if", {{"properties", {{"compression", {{"const", "deflate"}}}}}, {"required", {"compression"}}}},
       {"then", {{"properties", {{"compression_level", {{"maximum", kMostOfDeflate}}}}}}}},
      [](const D& definition) -> Result<> {
        if (definition.compression == Compression::deflate && definition.compression_level > kMostOfDeflate)
          return fail(EINVAL, "field \"compression_level\" is {}; for \"deflate\" it must be from 1 to {}",
                      definition.compression_level, kMostOfDeflate);
        return {};
      }};
  static const Shape<D> repository{
      "A place where points are kept.",
      {
          field("description", &D::description, json::text(), "For people."),
          field("tags", &D::tags, tags(), "Words to find it by."),
          field("path", &D::path, json::absolute_path(), "The directory of this host where it lies.",
                Need::required, Setter::root),
          field("compression", &D::compression, json::word<Compression>(), "Of the clusters of new points."),
          field("compression_level", &D::compression_level, json::integer(1, 22),
                "From quick to small: 1 to 22 for zstd, 1 to 9 for deflate."),
          field("cluster_size", &D::cluster_size, json::power_of_two(4096, 2097152),
                "Of new images, in bytes. A change makes the next points full ones."),
          field("read_only", &D::read_only, json::boolean(),
                "Nothing is written or deleted while it is true."),
      },
      {deflate_levels}};
  return repository;
}

template <>
const Shape<FlowDefinition>& shape() {
  using D = FlowDefinition;
  static const Shape<D> flow{
      "What is backed up, and to where.",
      {
          field("description", &D::description, json::text(), "For people."),
          field("tags", &D::tags, tags(), "Words to find it by."),
          field("type", &D::type, json::word<FlowType>(), "What its runs do."),
          field("target", &D::target, json::machine_path(), "The machine, as machines/NAME.", Need::required),
          field("repository", &D::repository, json::name(), "The repository's name.", Need::required),
          field("enabled", &D::enabled, json::boolean(), "Whether it may run."),
      },
      {}};
  return flow;
}

}  // namespace

template <class Definition>
Result<Definition> parse_definition(std::string_view text) {
  HF_TRY(const Json document, json::parse_document(text));
  return json::read_object(shape<Definition>(), document, "");
}

template <class Definition>
std::string print_definition(const Definition& definition) {
  return json::write_object(shape<Definition>(), definition)
             .dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

template <class Definition>
const std::string& definition_schema() {
  static const std::string text = [] {
    Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}};
    schema.update(json::object_schema(shape<Definition>()));
    return schema.dump(2) + "\n";
  }();
  return text;
}

template <class Definition>
std::string root_only_change(const Definition& before, const Definition& after) {
  for (const auto& known : shape<Definition>().fields)
    if (known.setter == Setter::root && !known.equal(before, after)) return known.name;
  return "";
}

#define HF_DEFINITION(D)                                    \
  template Result<D> parse_definition<D>(std::string_view); \
  template std::string print_definition<D>(const D&);       \
  template const std::string& definition_schema<D>();       \
  template std::string root_only_change<D>(const D&, const D&)

HF_DEFINITION(MachineDefinition);
HF_DEFINITION(RepositoryDefinition);
HF_DEFINITION(FlowDefinition);

}  // namespace holdfast
