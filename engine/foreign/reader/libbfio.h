// Declares two functions that libqcow exports beside its API. They let libqcow read through callbacks,
// because its API opens paths only. Debian's libqcow contains this part of libbfio, so the two always fit;
// without them the program does not link.
#pragma once

#include <libqcow.h>
#include <sys/types.h>

#include <cstdint>

extern "C" {

int libbfio_handle_initialize(
    std::intptr_t** handle, std::intptr_t* io_handle,
    int (*free_io_handle)(std::intptr_t** io_handle, libqcow_error_t** error),
    int (*clone_io_handle)(std::intptr_t** to, std::intptr_t* from, libqcow_error_t** error),
    int (*open)(std::intptr_t* io_handle, int access_flags, libqcow_error_t** error),
    int (*close)(std::intptr_t* io_handle, libqcow_error_t** error),
    ssize_t (*read)(std::intptr_t* io_handle, std::uint8_t* into, std::size_t size, libqcow_error_t** error),
    ssize_t (*write)(std::intptr_t* io_handle, const std::uint8_t* from, std::size_t size,
                     libqcow_error_t** error),
    off64_t (*seek_offset)(std::intptr_t* io_handle, off64_t offset, int whence, libqcow_error_t** error),
    int (*exists)(std::intptr_t* io_handle, libqcow_error_t** error),
    int (*is_open)(std::intptr_t* io_handle, libqcow_error_t** error),
    int (*get_size)(std::intptr_t* io_handle, size64_t* size, libqcow_error_t** error), std::uint8_t flags,
    libqcow_error_t** error);

int libqcow_file_open_file_io_handle(libqcow_file_t* file, std::intptr_t* file_io_handle, int access_flags,
                                     libqcow_error_t** error);
}
