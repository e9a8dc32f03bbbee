/* verify.c - placeholder while the thin path lands */
#include "internal.h"

void mk_verify_report_clear(MkVerifyReport *report)
{
    g_clear_pointer(&report->messages, g_ptr_array_unref);
}

bool mk_store_verify(MkStore *store, MkProgressFunc on_progress, void *cookie,
                     MkVerifyReport *out_report, GError **error)
{
    (void) store;
    (void) on_progress;
    (void) cookie;
    (void) out_report;
    (void) error;
    return true;
}
