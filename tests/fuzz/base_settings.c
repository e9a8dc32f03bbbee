/* base_settings.c - any octets as a configuration file: settings or one error, never more */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <mailkeep/error.h>
#include <mailkeep/settings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkSettings) settings =
        mk_settings_parse((const char *) data, size, "fuzz.yaml", size % 2 == 0, &error);

    g_assert((settings == NULL) == (error != NULL));
    if (settings == NULL)
        g_assert(mk_error_code(error) == MK_ERROR_INVALID &&
                 g_str_has_prefix(error->message, "fuzz.yaml:"));
    else
        g_assert(settings->hostname[0] != '\0' && settings->data_dir[0] != '\0' &&
                 settings->workers_bulk >= 1 && settings->message_size_bytes > 0);
    return 0;
}
