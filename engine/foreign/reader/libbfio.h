// Two functions that libqcow exports beside its API: they let it read through functions of ours, where its
// API knows paths only. Debian's libqcow carries the part of libbfio that this is about in itself, so the two
// always fit each other; were they missing, the program would not link.
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
