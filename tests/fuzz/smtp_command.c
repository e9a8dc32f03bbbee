/* smtp_command.c - any octets as a command line */
#include <mailkeep/smtp.h>

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *line = size > 0 ? g_memdup2(data, size) : g_strdup(""); /* no NUL behind it */
    MkSmtpCommand command;
    const char *reply = NULL;

    if (!mk_smtp_command_parse(line, size, &command, &reply)) {
        g_assert_true(reply[0] == '5' && command.path == NULL && command.argument == NULL);
        return 0;
    }
    g_assert_true(command.path == NULL || strlen(command.path) <= size);
    g_assert_true(command.path == NULL || g_utf8_validate(command.path, -1, NULL));
    g_assert_true(command.verb == MK_SMTP_UNKNOWN || command.argument != NULL);
    mk_smtp_command_clear(&command);
    return 0;
}
