/* A module for tests of PAM: asks what its arguments say (ask=STYLES, a digit
   for each question), writes the answers to a file (log=FILE), and returns the
   code that it is told (return=CODE). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pam_message { int msg_style; const char *msg; };
struct pam_response { char *resp; int resp_retcode; };
struct pam_conv {
    int (*conv)(int, const struct pam_message **, struct pam_response **, void *);
    void *appdata_ptr;
};
int pam_get_item(const void *handle, int type, const void **item);

static int run(void *handle, const char *what, int argc, const char **argv)
{
    const char *log = NULL;
    int code = 0, stop = 0;
    const void *item = NULL;
    FILE *out;
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], "log=", 4) == 0) log = argv[i] + 4;
    if (log == NULL || (out = fopen(log, "a")) == NULL) return 4;
    pam_get_item(handle, 2, &item);
    fprintf(out, "%s <%s>", what, item ? (const char *)item : "(none)");
    pam_get_item(handle, 5, &item);
    const struct pam_conv *conv = item;
    for (int i = 0; i < argc && !stop; i++) {
        if (strncmp(argv[i], "ask=", 4) == 0) {
            /* Each digit is a message's style. */
            const char *styles = argv[i] + 4;
            int count = (int)strlen(styles);
            struct pam_message messages[32];
            const struct pam_message *pointers[32];
            struct pam_response *answers = NULL;
            for (int j = 0; j < count && j < 32; j++) {
                messages[j].msg_style = styles[j] - '0';
                messages[j].msg = "question";
                pointers[j] = &messages[j];
            }
            int got = conv->conv(count, pointers, &answers, conv->appdata_ptr);
            fprintf(out, " %d[", got);
            if (got != 0) stop = 1;
            else for (int j = 0; j < count; j++) {
                fprintf(out, "%s%s", j ? "|" : "", answers && answers[j].resp ? answers[j].resp : "(none)");
                if (answers) free(answers[j].resp);
            }
            fprintf(out, "]");
            if (got == 0) free(answers);
            else code = got;
        } else if (strncmp(argv[i], "return=", 7) == 0) code = atoi(argv[i] + 7);
    }
    fprintf(out, "\n");
    fclose(out);
    return code;
}
int pam_sm_authenticate(void *h, int flags, int argc, const char **argv) { return run(h, flags ? "auth!" : "auth", argc, argv); }
int pam_sm_acct_mgmt(void *h, int flags, int argc, const char **argv) { return run(h, flags ? "account!" : "account", argc, argv); }
int pam_sm_setcred(void *h, int flags, int argc, const char **argv) { return run(h, "setcred", argc, argv); }
