/* A disk that is full, or can't sync, at another process's command.
 *
 * Preloaded into a server. The first byte of the file that DISK_FAULT names says what goes wrong
 * from now on: 'F' every write to a regular file fails for want of space, 'S' every sync fails
 * with an I/O error, 'H' every sync is held until the byte is another and goes on as that says,
 * anything else nothing. It works for every user and on every file system. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static const volatile char *fault = "-";

__attribute__((constructor)) static void attach(void) {
  const char *path = getenv("DISK_FAULT");
  int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) abort(); /* a test that breaks nothing proves nothing */
  const void *page = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) abort();
  fault = page;
  close(fd);
}

static int broken(char what, int fd, int error) {
  struct stat status;
  if (*fault != what || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return 0;
  errno = error;
  return 1;
}

static void hold(void) {
  while (*fault == 'H') usleep(1000);
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count) {
  if (broken('F', fd, ENOSPC)) return -1;
  return REAL(ssize_t, write, int, const void *, size_t)(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  if (broken('F', fd, ENOSPC)) return -1;
  return REAL(ssize_t, pwrite, int, const void *, size_t, off_t)(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  if (broken('F', fd, ENOSPC)) return -1;
  return REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(fd, bytes, count, at);
}

int posix_fallocate(int fd, off_t at, off_t count) {
  if (broken('F', fd, ENOSPC)) return ENOSPC;
  return REAL(int, posix_fallocate, int, off_t, off_t)(fd, at, count);
}

int fsync(int fd) {
  hold();
  if (broken('S', fd, EIO)) return -1;
  return REAL(int, fsync, int)(fd);
}

int fdatasync(int fd) {
  hold();
  if (broken('S', fd, EIO)) return -1;
  return REAL(int, fdatasync, int)(fd);
}
