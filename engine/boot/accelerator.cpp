#include "engine/boot/accelerator.h"

#include <unistd.h>

#include <array>
#include <optional>

#include "catalog/base/log.h"
#include "catalog/base/mutex.h"
#include "engine/boot/guest.h"
#include "engine/boot/nbd_export.h"

namespace holdfast::boot {
namespace {

constexpr std::chrono::milliseconds kPatience{3000};  // TCG takes half a second
constexpr std::chrono::milliseconds kLook{50};
constexpr std::string_view kProof = "holdfast: a guest runs\n";

// The probe guest: a boot sector that works as a kernel does when it begins. It enters long mode with paging,
// fills 32 MiB, multiplies 64 million times, and writes kProof to the firmware's log.
constexpr std::array<std::uint8_t, 230> kSector = {
    0xfa,                                            // cli
    0x31, 0xc0,                                      // xor %ax,%ax
    0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0,              // mov %ax,%ds; %es; %ss
    0xbc, 0x00, 0x7c,                                // mov $0x7c00,%sp
    0xbf, 0x00, 0x10, 0xb9, 0x00, 0x18, 0xf3, 0xab,  // clear the page tables at 0x1000, 0x2000 and 0x3000
    0xc7, 0x06, 0x00, 0x10, 0x03, 0x20,              // movw $0x2003,0x1000
    0xc7, 0x06, 0x00, 0x20, 0x03, 0x30,              // movw $0x3003,0x2000
    0xbf, 0x00, 0x30,                                // mov $0x3000,%di
    0x66, 0xb8, 0x83, 0x00, 0x00, 0x00,              // mov $0x83,%eax
    0xb9, 0x00, 0x02,                                // mov $512,%cx
    0x66, 0x89, 0x05,                                // mov %eax,(%di): a page of 2 MiB
    0x83, 0xc7, 0x08,                                // add $8,%di
    0x66, 0x05, 0x00, 0x00, 0x20, 0x00,              // add $0x200000,%eax
    0xe2, 0xf2,                                      // loop
    0x66, 0x0f, 0x01, 0x16, 0xc9, 0x7c,              // lgdtl
    0x66, 0xb8, 0x20, 0x00, 0x00, 0x00,              // mov $0x20,%eax
    0x0f, 0x22, 0xe0,                                // mov %eax,%cr4: PAE
    0x66, 0xb8, 0x00, 0x10, 0x00, 0x00,              // mov $0x1000,%eax
    0x0f, 0x22, 0xd8,                                // mov %eax,%cr3
    0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0,              // mov $0xc0000080,%ecx: EFER
    0x0f, 0x32, 0x0d, 0x00, 0x01, 0x0f, 0x30,        // rdmsr; or $0x100,%ax; wrmsr
    0x66, 0xb8, 0x01, 0x00, 0x00, 0x80,              // mov $0x80000001,%eax
    0x0f, 0x22, 0xc0,                                // mov %eax,%cr0: paging, protected mode
    0x66, 0xea, 0x70, 0x7c, 0x00, 0x00, 0x08, 0x00,  // ljmpl into 64-bit code, which follows
    0xb8, 0x10, 0x00, 0x00, 0x00,                    // mov $0x10,%eax
    0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0,              // mov %eax,%ds; %es; %ss
    0xbf, 0x00, 0x00, 0x00, 0x01,                    // mov $16 MiB,%edi
    0xb9, 0x00, 0x00, 0x40, 0x00,                    // mov $0x400000,%ecx
    0x48, 0xb8, 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,  // movabs $0x123456789abcdef,%rax
    0xf3, 0x48, 0xab,                                            // rep stosq
    0xb9, 0x00, 0x00, 0x00, 0x04,                                // mov $0x4000000,%ecx
    0x48, 0x0f, 0xaf, 0xc0, 0xe2, 0xfa,                          // imul %rax,%rax; loop
    0xbe, 0xcf, 0x7c, 0x00, 0x00,                                // mov the text's address,%esi
    0xac, 0x84, 0xc0, 0x74, 0x07,                                // lodsb; test %al,%al; je to the end
    0x66, 0xba, 0x02, 0x04, 0xee, 0xeb, 0xf4,     // mov $0x402,%dx; out %al,(%dx); jmp to lodsb
    0xf4, 0xeb, 0xfd,                             // hlt; jmp to hlt
    0,    0,    0,    0,    0,    0,    0,    0,  // the table of segments
    0,    0,    0,    0,    0,    0x9a, 0x20, 0,  // code, 64-bit
    0,    0,    0,    0,    0,    0x92, 0,    0,  // data
    0x17, 0x00, 0xb1, 0x7c, 0x00, 0x00,           // the length and address of the table
    'h',  'o',  'l',  'd',  'f',  'a',  's',  't',  ':',  ' ',  'a', ' ',
    'g',  'u',  'e',  's',  't',  ' ',  'r',  'u',  'n',  's',  '\n'};
constexpr std::size_t kSectorBytes = 512;
constexpr std::uint64_t kProbeDisk = kMiB;

// Reads the probe guest's disk: its boot sector, and zeros.
Result<> read_probe(std::uint64_t offset, ByteSpan into) {
  std::array<std::byte, kSectorBytes> sector{};
  std::ranges::copy(std::as_bytes(std::span{kSector}), sector.begin());
  sector[kSectorBytes - 2] = std::byte{0x55};
  sector[kSectorBytes - 1] = std::byte{0xaa};
  std::ranges::fill(into, std::byte{0});
  if (offset < sector.size())
    copy_bytes(ByteView{sector}.subspan(offset).first(std::min(into.size(), sector.size() - offset)), into);
  return {};
}

// Returns whether the probe guest boots in time.
Result<bool> probe_boots(Accelerator accelerator, const std::string& directory,
                         const source::Cancel& cancel) {
  HF_TRY(const auto scratch, Scratch::open(directory, 0, 0));
  GuestDisk disk(read_probe, kProbeDisk, *scratch);
  ProgressMeter meter;
  HF_TRY(const auto exported, NbdExport::start(disk, meter));
  const auto deadline = source::Deadline::in(kPatience);
  HF_TRY(const auto guest, Guest::start({.accelerator = accelerator, .disks = {exported->client().get()}}));
  exported->give_client_away();
  while (!deadline.passed()) {
    if (cancel.requested()) return fail(ECANCELED, "cancelled");
    HF_CHECK(guest->listen(kLook));
    if (guest->firmware().ends_with(kProof)) return true;
  }
  return false;
}

Result<Accelerator> probe(const std::string& scratch, const source::Cancel& cancel) {
  if (::access("/dev/kvm", R_OK | W_OK) != 0) return Accelerator::tcg;
  const auto boots = probe_boots(Accelerator::kvm, scratch, cancel);
  if (!boots && boots.error().code == ECANCELED) return tl::make_unexpected(boots.error());
  if (boots && *boots) return Accelerator::kvm;
  log::info("boot checks run without KVM: {}",
            boots ? "a probe guest did not boot with it in time" : boots.error().message);
  return Accelerator::tcg;
}

}  // namespace

Result<Accelerator> fastest_accelerator(const std::string& scratch, const source::Cancel& cancel) {
  static Mutex mutex;
  static std::optional<Accelerator> known HF_GUARDED_BY(mutex);
  const MutexLock lock(mutex);
  if (!known) {
    HF_TRY(known, probe(scratch, cancel));
  }
  return *known;
}

}  // namespace holdfast::boot
