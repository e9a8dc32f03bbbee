/* archive.c - the same small installation as in the archive's own tests */
#include "../archive/fixture.c"
