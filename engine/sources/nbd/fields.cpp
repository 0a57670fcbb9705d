#include "engine/sources/nbd/fields.h"

#include <regex>

namespace holdfast::source::nbd {
namespace {

using json::Need;
using json::Setter;

// A URI as libnbd takes it, without the forms that libnbd would misread in silence.
json::Value<std::string> nbd_uri() {
  static constexpr std::size_t kAtMost = 2048;
  static const std::string user = "([A-Za-z0-9._~%+-]+@)?";
  static const std::string text = R"([!-"$->@-~]*)";  // without # and ?
  static const std::string query = R"([!-"$-~])";
  static const std::string host = R"(([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?)";
  static const std::string tcp = "nbds?://" + user + host + "(/" + text + R"()?(\?)" + query + "*)?";
  // libnbd ignores a host name before the path, and would read the export's name as "".
  static const std::string unix_socket =
      R"(nbds?\+unix://)" + user + "/" + text + R"(\?()" + query + "*&)?socket=/" + query + "+";
  static const std::string pattern = "^(" + tcp + "|" + unix_socket + ")$";
  static const std::regex right(pattern);
  return json::text_that(
      "an NBD URI without a password: nbd://HOST:PORT/EXPORT, nbds:// for TLS, or "
      "nbd+unix:///EXPORT?socket=/PATH",
      {{"type", "string"}, {"pattern", pattern}, {"maxLength", kAtMost}},
      [](const std::string& value) { return value.size() <= kAtMost && std::regex_match(value, right); });
}

const json::Shape<DiskFields>& disk_shape() {
  using D = DiskFields;
  static const json::Shape<D> shape{
      "",
      {json::field("uri", &D::uri, nbd_uri(), "The export, as a URI.", Need::required, Setter::root),
       json::field("bitmap", &D::bitmap, json::text(),
                   "A dirty bitmap of its user's that the server offers with the export."),
       json::field("trust_bitmap", &D::trust_bitmap, json::boolean(),
                   "Whether what the bitmap does not name counts as unchanged. A share of it is read all "
                   "the same.")},
      {}};
  return shape;
}

json::Rule<DiskDefinition> trust_needs_a_bitmap() {
  return {{{"if", {{"properties", {{"trust_bitmap", {{"const", true}}}}}, {"required", {"trust_bitmap"}}}},
           {"then", {{"properties", {{"bitmap", {{"minLength", 1}}}}}, {"required", {"bitmap"}}}}},
          [](const DiskDefinition& disk) -> Result<> {
            HF_TRY(const DiskFields own, fields_of(disk));
            if (own.trust_bitmap && own.bitmap.empty())
              return fail(EINVAL, "disk \"{}\" has \"trust_bitmap\", but no \"bitmap\" that could be trusted",
                          disk.name);
            return {};
          }};
}

}  // namespace

Result<DiskFields> fields_of(const DiskDefinition& disk) { return own_fields(disk_shape(), disk.fields); }

const Fields& fields() {
  static const Fields all{.machine = {},
                          .disk = carried<DiskDefinition>(disk_shape()),
                          .disk_rules = {trust_needs_a_bitmap()},
                          .disk_defaults = json::stored_text(disk_shape(), {})};
  return all;
}

}  // namespace holdfast::source::nbd
