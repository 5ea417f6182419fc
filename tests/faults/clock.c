/* A clock that is wrong, for one process.
 *
 * Preloaded into a server. CLOCK_AHEAD_SECONDS is added to the time of day, and may be negative;
 * clocks that measure how long something takes are left as they are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int (*real)(clockid_t, struct timespec *);
static time_t ahead;

__attribute__((constructor)) static void attach(void) {
  const char *seconds = getenv("CLOCK_AHEAD_SECONDS");
  real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  if (!seconds || !real) abort(); /* a test that breaks nothing proves nothing */
  ahead = atol(seconds);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int told = real(clock, now);
  if (told == 0 && clock == CLOCK_REALTIME) now->tv_sec += ahead;
  return told;
}
